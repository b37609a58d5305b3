"""The errors that the page of troubles quotes are those that our commands print."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from senet_mm.backbones import SEResNet
from senet_mm.runs import readers
from senet_mm.runs.training.lock import LOCK
from tests.attempts import run_command
from tests.docs.markdown import blocks

pytestmark = pytest.mark.slow

SMALL = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
LARGE = "senet_mm::faster_rcnn_se_r50_fpn.py"
BACKBONE = "model.backbone"
# command lines, without what all of them have
MISTAKES = [
    f"train {SMALL} --data-root /data/coco",
    f"train {SMALL} --data-root ROOT --cfg-options train_dataloader.dataset.metainfo.classes=[red]",
    f"train {SMALL} --data-root LACKING",
    f"train {LARGE} --data-root ROOT --cfg-options {BACKBONE}.init_cfg=None",
    f"train {LARGE} --data-root ROOT --cfg-options {BACKBONE}.init_cfg.checkpoint="
    "https://weights.invalid/se.pth",
    f"test {SMALL} page.pth --data-root ROOT",
    f"train {SMALL} --data-root ROOT --cfg-options load_from=plain.pth",
    f"train {SMALL} --data-root ROOT --cfg-options optim_wrapper.optimizer.lrr=0.1",
    f"train {SMALL} --data-root ROOT --cfg-options {BACKBONE}.type=SEResnet",
    f"train {SMALL} --data-root ROOT --amp",
    f"train {SMALL} --data-root ROOT --launcher pytorch",
    "compare work_dirs/a work_dirs/b",
    f"train {SMALL} --data-root ROOT --work-dir work_dirs/run",
]

# as another training does, in a process of its own: the kernel's lock is a process'
HOLD = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("process 1 on host", file=file, flush=True)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def _tests_are_no_readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What registered something may read any key, tests of recipes too; this file has them all."""
    monkeypatch.setattr(readers, "_packages", lambda: set(readers._READERS))
    for cached in (readers._code, readers.is_read):
        cached.cache_clear()
    yield
    for cached in (readers._code, readers.is_read):
        cached.cache_clear()


@pytest.fixture
def folder(shapes_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with what the command lines name."""
    monkeypatch.chdir(tmp_path)
    Path("page.pth").write_text("<!DOCTYPE html><html></html>")
    torch.save({"state_dict": SEResNet(18, se_cfg=[None] * 4).state_dict()}, "plain.pth")
    shutil.copytree(shapes_root, "LACKING")
    ann_file = Path("LACKING/annotations/instances_train2017.json")
    name = json.loads(ann_file.read_text())["images"][0]["file_name"]
    Path("LACKING/train2017", name).unlink()
    Path("ROOT").symlink_to(shapes_root)
    Path("work_dirs/run").mkdir(parents=True)
    return tmp_path


@pytest.mark.usefixtures("_tests_are_no_readers")
def test_each_quoted_error_is_printed_by_its_mistake(
    folder: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    on_page = [block.text for block in blocks("text") if "trouble.md" in block.place]
    quoted = [" ".join(text.split()) for text in on_page]
    command = [sys.executable, "-c", HOLD, f"work_dirs/run/{LOCK}"]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        attempts = [run_command(capfd, *shlex.split(mistake)) for mistake in MISTAKES]
        other.communicate()
    assert len(quoted) == len(MISTAKES)
    for quotation, mistake, attempt in zip(quoted, MISTAKES, attempts, strict=True):
        pattern = re.escape(quotation).replace(r"\.\.\.", ".*")
        (line,) = attempt.errors
        assert re.fullmatch(pattern, line), f"{mistake}: {line}"
        assert attempt.code == 2
