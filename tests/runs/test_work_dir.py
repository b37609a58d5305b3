import json
from pathlib import Path

import pytest
import torch

from senet_mm.runs import work_dir as module
from senet_mm.runs.work_dir import read_run, seconds_per_iteration


def save(path: Path, iteration: int) -> Path:
    parts = dict(state_dict={"x": torch.zeros(1)}, message_hub={}, optimizer={})
    torch.save(dict(parts, meta=dict(epoch=1, iter=iteration)), path)
    return path


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text("model = dict()\n")
    save(tmp_path / "epoch_2.pth", 20)
    (tmp_path / "last_checkpoint").write_text("/elsewhere/epoch_2.pth")
    return tmp_path


def test_reads_config_and_checkpoint_of_a_moved_work_dir(work_dir: Path) -> None:
    run = read_run(work_dir)
    assert (run.name, run.checkpoint) == (work_dir.name, work_dir / "epoch_2.pth")


WRONG = {
    "half a file is named": ("epoch_3.pth", "epoch_3.pth is damaged or cut off"),
    "empty": ("", "last_checkpoint is empty"),
    "dangling": ("epoch_9.pth", "last_checkpoint names epoch_9.pth, which is not there"),
    "not there": (None, "there is no "),
}


@pytest.mark.parametrize("name", WRONG)
def test_else_the_newest_whole_checkpoint(name: str, work_dir: Path, monkeypatch) -> None:
    text, line = WRONG[name]
    said: list[str] = []
    monkeypatch.setattr(module, "print_log", lambda message, *rest: said.append(message))
    save(work_dir / "epoch_1.pth", 10)
    whole = save(work_dir / "epoch_3.pth", 30).read_bytes()
    (work_dir / "epoch_3.pth").write_bytes(whole[: len(whole) // 2])
    pointer = work_dir / "last_checkpoint"
    pointer.unlink() if text is None else pointer.write_text(text)
    assert read_run(work_dir).checkpoint == work_dir / "epoch_2.pth"
    (message,) = said
    assert line in message
    assert message.endswith(f"taking the newest whole checkpoint, {work_dir / 'epoch_2.pth'}")
    assert pointer.is_file() == (text is not None)  # what is only read is not changed
    assert text is None or pointer.read_text() == text


def test_what_is_no_work_dir_is_named(work_dir: Path) -> None:
    (work_dir / "other.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match=r"several configs \(net\.py, other\.py\)"):
        read_run(work_dir)
    (work_dir / "other.py").unlink()
    (work_dir / "epoch_2.pth").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"epoch_2\.pth is truncated"):
        read_run(work_dir)
    (work_dir / "last_checkpoint").unlink()
    with pytest.raises(FileNotFoundError, match="there is no .*give a config and its checkpoint"):
        read_run(work_dir)
    (work_dir / "net.py").unlink()
    with pytest.raises(FileNotFoundError, match="has no config"):
        read_run(work_dir)


def test_seconds_per_iteration_is_the_median_of_the_latest_training_log(work_dir: Path) -> None:
    assert seconds_per_iteration(read_run(work_dir)) is None
    for stamp, times in (("20260101_000000", [9.0]), ("20260102_000000", [0.1, 0.2, 0.9])):
        folder = work_dir / stamp / "vis_data"
        folder.mkdir(parents=True)
        entries = [dict(loss=1.0, time=time) for time in times] + [
            {"coco/bbox_mAP": 0.3, "time": 5.0}
        ]
        killed = '\n{"loss": 1.0, "ti'
        (folder / "scalars.json").write_text("\n".join(map(json.dumps, entries)) + killed)
    assert seconds_per_iteration(read_run(work_dir)) == 0.2
