import json
from pathlib import Path

import pytest

from senet_mm.runs.work_dir import read_run, seconds_per_iteration


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text("model = dict()\n")
    (tmp_path / "epoch_2.pth").touch()
    (tmp_path / "last_checkpoint").write_text("/elsewhere/epoch_2.pth")
    return tmp_path


def test_reads_config_and_checkpoint_of_a_moved_work_dir(work_dir: Path) -> None:
    run = read_run(work_dir)
    assert (run.name, run.checkpoint) == (work_dir.name, work_dir / "epoch_2.pth")


def test_what_is_no_work_dir_is_named(work_dir: Path) -> None:
    (work_dir / "other.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match=r"several configs \(net\.py, other\.py\)"):
        read_run(work_dir)
    (work_dir / "other.py").unlink()
    (work_dir / "epoch_2.pth").unlink()
    with pytest.raises(FileNotFoundError, match=r"names epoch_2\.pth, which is not in"):
        read_run(work_dir)
    (work_dir / "last_checkpoint").unlink()
    with pytest.raises(FileNotFoundError, match="has no last_checkpoint"):
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
