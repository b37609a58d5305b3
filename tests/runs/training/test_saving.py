"""A kill in the midst of a save leaves a whole checkpoint."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.fileio import LocalBackend

from senet_mm.weights.read.file import read_file
from studies.kill_and_resume import differences, flat_state
from tests.runs.training import toy_training as toy

OPTIONS = dict(default_hooks__checkpoint__max_keep_ckpts=1)
TRAINING = """
import os, signal, sys
from pathlib import Path
from mmengine.fileio import LocalBackend
from tests.runs.training import toy_training as toy
{kill}
toy.train(toy.toy_config(Path(sys.argv[1]), default_hooks__checkpoint__max_keep_ckpts=1))
"""
# writes half of the second epoch's checkpoint
IN_A_SAVE = """
def put(self, content, path):
    name = Path(path).name
    Path(path).write_bytes(content[:len(content) // 2] if "epoch_2" in name else content)
    if "epoch_2" in name:
        os.kill(os.getpid(), signal.SIGKILL)
LocalBackend.put = put
"""
BEFORE_A_REMOVAL = "LocalBackend.remove = lambda *path: os.kill(os.getpid(), signal.SIGKILL)"


def checkpoints(work_dir: Path) -> list[str]:
    return sorted(path.name for path in work_dir.glob("*.pth*") if "best" not in path.name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kill", "left"),
    [(IN_A_SAVE, "epoch_2.pth.unfinished"), (BEFORE_A_REMOVAL, "epoch_2.pth")],
    ids=["in a save", "before a removal"],
)
def test_a_kill_around_a_save(kill: str, left: str, repo: Path, tmp_path: Path) -> None:
    script = TRAINING.format(kill=kill)
    command = [sys.executable, "-W", "ignore", "-c", script, tmp_path / "parts"]
    killed = subprocess.run(command, cwd=repo, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert checkpoints(tmp_path / "parts") == ["epoch_1.pth", left]
    read_file(tmp_path / "parts" / "epoch_1.pth")

    toy.train(toy.toy_config(tmp_path / "parts", resume=True, **OPTIONS))
    assert checkpoints(tmp_path / "parts") == ["epoch_4.pth"]
    toy.train(toy.toy_config(tmp_path / "whole", **OPTIONS))
    whole, parts = (flat_state(tmp_path / name / "epoch_4.pth") for name in ("whole", "parts"))
    assert differences(whole, parts) == []


def test_the_old_one_goes_after_the_new_one_is_whole(tmp_path: Path, monkeypatch) -> None:
    there: list[list[str]] = []
    put = LocalBackend.put

    def watch(self: object, content: bytes, path: str) -> None:
        there.append(checkpoints(tmp_path))
        put(self, content, path)

    monkeypatch.setattr(LocalBackend, "put", watch)
    options = OPTIONS | dict(default_hooks__checkpoint__save_best=None)
    toy.train(toy.toy_config(tmp_path, **options))
    assert there == [[], ["epoch_1.pth"], ["epoch_2.pth"], ["epoch_3.pth"]]
    assert checkpoints(tmp_path) == ["epoch_4.pth"]


def test_a_save_that_fails_leaves_no_file(tmp_path: Path, monkeypatch) -> None:
    def fail(self: object, content: bytes, path: str) -> None:
        Path(path).write_bytes(content[:9])
        raise toy.Stopped

    monkeypatch.setattr(LocalBackend, "put", fail)
    toy.train(toy.toy_config(tmp_path), at=1000)
    assert checkpoints(tmp_path) == []
