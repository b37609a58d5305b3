"""Which checkpoint a work dir is resumed from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from senet_mm.runs.training import last_checkpoint
from senet_mm.runs.training.last_checkpoint import find_checkpoint


class RunsCode:
    """An object whose pickle creates a file when it is read."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple:
        return Path.touch, (self.proof,)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(last_checkpoint, "print_log", lambda line, *rest: lines.append(line))
    return lines


def save(path: Path, iteration: int = 1, **others: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = dict(state_dict={"x": torch.zeros(1)}, message_hub={}, optimizer={})
    torch.save(dict(parts, meta=dict(epoch=1, iter=iteration), **others), path)
    return path


def pointer(work_dir: Path) -> Path:
    return work_dir / "last_checkpoint"


def found(work_dir: Path, **options: object) -> Path | None:
    result = find_checkpoint(Config(dict(work_dir=str(work_dir), **options)))
    return result and Path(result[0])


def test_the_one_that_is_named(tmp_path: Path, said: list[str]) -> None:
    first, _ = save(tmp_path / "epoch_1.pth"), save(tmp_path / "epoch_2.pth", 2)
    pointer(tmp_path).write_text(str(first))
    assert found(tmp_path) == first
    assert not said


WRONG = {
    "empty": ("", r"is empty"),
    "of white space": (" \n", r"is empty"),
    "dangling": ("/nowhere/epoch_7.pth", r"names /nowhere/epoch_7\.pth, which is not there"),
    "not there": (None, r"there is no"),
    "of half a file": ("{work_dir}/epoch_10.pth", r"epoch_10\.pth is damaged or cut off"),
    "of an unknown scheme": ("x://epoch_7.pth", r"names x://epoch_7\.pth, which is not there"),
    "of no text": (b"\xff\xfe\x00", r"which is not there"),
}


@pytest.mark.parametrize("name", WRONG)
def test_else_the_newest_whole_one(name: str, tmp_path: Path, said: list[str]) -> None:
    text, line = WRONG[name]
    save(tmp_path / "epoch_2.pth", 20)
    newest = save(tmp_path / "epoch_9.pth", 90)
    whole = save(tmp_path / "epoch_10.pth", 100).read_bytes()
    (tmp_path / "epoch_10.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "epoch_11.pth").touch()
    save(tmp_path / "best_score_epoch_12.pth", 120)
    torch.save({"x": torch.zeros(1)}, tmp_path / "weights_13.pth")
    save(tmp_path / "iter_80.pth", 80)
    os.utime(newest, (0, 0))  # as a copy may have it
    if isinstance(text, bytes):
        pointer(tmp_path).write_bytes(text)
    elif text is not None:
        pointer(tmp_path).write_text(text.format(work_dir=tmp_path))
    assert found(tmp_path) == newest
    (said_line,) = said
    assert said_line.endswith(f"resuming from the newest whole checkpoint, {newest}")
    assert re.search(line, said_line)
    assert pointer(tmp_path).read_text() == str(newest)  # for mmengine
    assert found(tmp_path) == newest and len(said) == 1


def test_of_a_work_dir_that_moved(tmp_path: Path, said: list[str], monkeypatch) -> None:
    here = save(tmp_path / "now" / "epoch_1.pth")
    save(tmp_path / "before" / "epoch_1.pth", 9)
    pointer(here.parent).write_text(str(tmp_path / "before" / "epoch_1.pth"))
    assert found(here.parent) == here
    monkeypatch.chdir(tmp_path)
    pointer(here.parent).write_text("elsewhere/now/epoch_1.pth")
    assert found(Path("now")) == Path("now/epoch_1.pth")
    assert pointer(here.parent).read_text() == str(here)
    assert not said


def test_in_the_folder_that_the_hook_names(tmp_path: Path, said: list[str]) -> None:
    work_dir = tmp_path / "run"
    work_dir.mkdir()
    path = save(tmp_path / "big_disk" / "run" / "epoch_3.pth")
    hooks = dict(checkpoint=dict(out_dir=str(tmp_path / "big_disk")))
    assert found(work_dir, default_hooks=hooks) == path
    assert len(said) == 1


def test_none(tmp_path: Path, said: list[str]) -> None:
    assert found(tmp_path / "new") is None and not (tmp_path / "new").exists()
    pointer(tmp_path).write_text("")
    assert found(tmp_path) is None
    assert said[-1].endswith("training starts from the beginning")
    assert not pointer(tmp_path).exists()  # mmengine would fail on it


def test_files_that_run_code_are_refused(tmp_path: Path, said: list[str]) -> None:
    proof = tmp_path / "proof"
    torch.save({"state_dict": RunsCode(proof)}, tmp_path / "epoch_1.pth")
    pointer(tmp_path).write_text("x://epoch_1.pth")
    with pytest.raises(ValueError, match="beyond tensors and plain data"):
        found(tmp_path)
    pointer(tmp_path).write_text("")
    assert found(tmp_path) is None
    assert not proof.exists()


def test_of_another_machine(tmp_path: Path, said: list[str]) -> None:
    pointer(tmp_path).write_text("s3://bucket/epoch_1.pth")
    cfg = Config(dict(work_dir=str(tmp_path)))
    assert find_checkpoint(cfg) == ("s3://bucket/epoch_1.pth", None) and not said
    assert pointer(tmp_path).exists()
