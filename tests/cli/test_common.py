import argparse
import shutil
from pathlib import Path

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
