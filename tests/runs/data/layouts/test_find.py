"""Which split stands for what, and the one that a folder is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.data_root import set_data_root
from senet_mm.runs.data.layouts.find import complete_layout, give_val_split
from senet_mm.runs.data.layouts.places import coco_places

from .folders import coco_data, write_voc, write_yaml, write_yolo


def names(root: Path) -> dict[str, set[str]]:
    """The pictures of each split as they are read."""
    found = coco_places(root)
    assert found is not None
    return {
        split: {one["file_name"] for one in json.loads(place.ann_file.read_text())["images"]}
        for split, place in found[1].items()
        if split != "test"
    }


@pytest.fixture
def yolo(shapes_root: Path, tmp_path: Path) -> Path:
    """A YOLO folder whose pictures to validate are not named."""
    root = write_yolo(shapes_root, tmp_path / "yolo")
    classes = [one["name"] for one in coco_data(shapes_root, "val")["categories"]]
    write_yaml(root, names=classes, train="images/train")
    return root


@pytest.fixture
def coco(shapes_root: Path, tmp_path: Path) -> Path:
    """A COCO folder without its file to validate."""
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    (root / "train2017").symlink_to(shapes_root / "train2017")
    name = "annotations/instances_train2017.json"
    (root / name).write_bytes((shapes_root / name).read_bytes())
    return root


@pytest.mark.parametrize("layout", ["yolo", "coco"])
def test_a_folder_is_given_a_split(layout: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(layout)
    with pytest.raises(ValueError, match=r"no pictures to validate on: `senet-mm data .*--val-fr"):
        complete_layout(root)
    give_val_split(root, 0.25, 0)
    first = names(root)
    assert len(first["train"]) == 13 and len(first["val"]) == 4
    assert not first["train"] & first["val"]
    assert names(root) == first
    give_val_split(root, 0.25, 1)
    other = names(root)
    assert other["val"] != first["val"] and other["train"] | other["val"] == set().union(
        *first.values()
    )
    cfg = Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))
    set_data_root(cfg, root)
    files = [cfg[f"{name}_dataloader"].dataset.ann_file for name in ("train", "val", "test")]
    assert files[0] != files[1] == files[2]


def test_objects_follow_their_pictures(coco: Path) -> None:
    whole = json.loads((coco / "annotations/instances_train2017.json").read_text())
    give_val_split(coco, 0.5, 0)
    found = coco_places(coco)
    assert found is not None
    parts = [json.loads(found[1][split].ann_file.read_text()) for split in ("train", "val")]
    assert sum((part["annotations"] for part in parts), []) != []
    for part in parts:
        ids = {one["id"] for one in part["images"]}
        assert part["annotations"] == [
            one for one in whole["annotations"] if one["image_id"] in ids
        ]
        assert part["categories"] == whole["categories"]
    assert sum(len(part["annotations"]) for part in parts) == len(whole["annotations"])


def test_a_split_of_its_own_holds(
    shapes_root: Path, yolo: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(ValueError, match="has a val split of its own"):
        give_val_split(shapes_root, 0.2, 0)
    with pytest.raises(FileNotFoundError, match="has no annotations. Expected is COCO's layout"):
        give_val_split(tmp_path, 0.2, 0)
    give_val_split(yolo, 0.2, 0)
    classes = [one["name"] for one in coco_data(shapes_root, "val")["categories"]]
    write_yaml(yolo, names=classes, train="images/train", val="images/val")
    assert len(names(yolo)["val"]) == 6
    write_yaml(yolo, names=classes, test="images/val")
    with pytest.raises(ValueError, match="has no train split to take it from"):
        give_val_split(yolo, 0.2, 0)


def test_the_test_split_stands_in(
    shapes_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = write_voc(shapes_root, tmp_path / "voc")
    lists = root / "ImageSets" / "Main"
    (lists / "val.txt").rename(lists / "test.txt")
    assert len(names(root)["val"]) == 6
    assert "voc has no val split: its test split is taken" in capsys.readouterr().err
