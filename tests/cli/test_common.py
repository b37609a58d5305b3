import argparse
import shutil
from pathlib import Path

import pytest

from senet_mm.cli import common as cli


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_config_arguments(parser)
    return parser.parse_args(arguments)


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


def test_the_work_dir_is_named_after_the_config() -> None:
    cfg = cli.load_config(parse("senet_mm::faster_rcnn_se_r50_fpn.py"))
    assert cfg.work_dir == "work_dirs/faster_rcnn_se_r50_fpn"


def test_a_missing_config() -> None:
    with pytest.raises(FileNotFoundError, match=r"config nope\.py not found"):
        cli.read_config("nope.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = dict(", "is no valid config"),
        ("model = dict(a=b)", "is no valid config: name 'b'"),
        ("x = 1", "no model"),
    ],
)
def test_what_is_no_config(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.py .*{message}"):
        cli.read_config(str(path))


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


def test_a_work_dir_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cfg = cli.load_config(
        parse("senet_mm::faster_rcnn_se_r50_fpn.py", "--work-dir", str(tmp_path / "file" / "x"))
    )
    with pytest.raises(OSError, match=r"cannot write to the work dir .*file/x.*--work-dir"):
        cli.make_work_dir(cfg)
