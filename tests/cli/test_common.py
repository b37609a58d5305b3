import argparse
import shutil
from pathlib import Path
from urllib.error import URLError

import pytest

from senet_mm.cli import common as cli
from senet_mm.runs.processes import StoppedElsewhere


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_config_arguments(parser)
    return parser.parse_args(arguments)


def test_bad_input_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture) -> None:
    def main() -> None:
        raise ValueError("depth=20:\n  expected one of [18]")

    with pytest.raises(SystemExit) as stop:
        cli.run(main)
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: depth=20: expected one of [18]\n"


def test_the_traceback_may_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cli.TRACEBACK_VARIABLE, "1")

    def main() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        cli.run(main)


def test_where_another_process_has_told_why_nothing_is_printed(capsys) -> None:
    def main() -> None:
        raise StoppedElsewhere("process 0 has stopped: x")

    with pytest.raises(SystemExit) as stop:
        cli.run(main)
    assert stop.value.code == 2
    assert capsys.readouterr().err == ""


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    def main() -> None:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        cli.run(main)


def test_of_an_error_in_a_loaders_worker_the_last_line_is_shown() -> None:
    message = (
        "Caught AssertionError in DataLoader worker process 0.\n"
        "Original Traceback (most recent call last):\n  File x\n"
        "AssertionError: failed to load image: a.jpg"
    )
    assert cli.one_line(AssertionError(message)) == "AssertionError: failed to load image: a.jpg"
    assert cli.one_line(KeyError("no key")) == "no key"
    offline = cli.one_line(URLError("Name or service not known"))
    assert offline.startswith("a download failed (Name or service not known)")
    assert "init_cfg.checkpoint=PATH" in offline
    assert cli.one_line(ValueError()) == "ValueError"


def test_arguments_reach_the_config(shapes_root: Path, tmp_path: Path) -> None:
    args = parse(
        "senet_mm::faster_rcnn_se_r50_fpn.py",
        "--work-dir", str(tmp_path),
        "--data-root", str(shapes_root),
        "--seed", "3",
        "--cfg-options", "model.backbone.depth=101", "model.roi_head.bbox_head.num_classes=7",
    )  # fmt: skip
    cfg = cli.load_config(args)
    assert cfg.work_dir == str(tmp_path)
    assert cfg.randomness.seed == 3
    assert cfg.model.backbone.depth == 101
    assert cfg.model.roi_head.bbox_head.num_classes == 7
    assert cfg.train_dataloader.dataset.data_root == f"{shapes_root}/"


def test_options_may_name_the_files_below_the_root(shapes_root: Path, tmp_path: Path) -> None:
    shutil.copytree(shapes_root, tmp_path / "d")
    for split in ("train", "val"):
        folder = tmp_path / "d" / "annotations"
        (folder / f"instances_{split}2017.json").rename(folder / f"{split}.json")
    cfg = cli.load_config(
        parse(
            "senet_mm::faster_rcnn_se_r50_fpn.py",
            "--data-root", str(tmp_path / "d"),
            "--cfg-options",
            "train_dataloader.dataset.ann_file=annotations/train.json",
            "val_dataloader.dataset.ann_file=annotations/val.json",
            "test_dataloader.dataset.ann_file=annotations/val.json",
            "val_evaluator.ann_file=data/coco/annotations/val.json",
        )
    )  # fmt: skip
    assert cfg.model.roi_head.bbox_head.num_classes == 7
