from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.survey import survey

from .folders import write_voc, write_yolo


@pytest.mark.parametrize("layout", ["COCO", "YOLO", "VOC"])
def test_the_same_of_each_layout(layout: str, shapes_root: Path, tmp_path: Path) -> None:
    root = shapes_root
    if layout != "COCO":
        write = {"YOLO": write_yolo, "VOC": write_voc}[layout]
        root = write(shapes_root, tmp_path / "made")
    before = sorted(root.rglob("*"))
    found = survey(root)
    assert found.kind == layout and found.num_problems == 0
    assert sorted(root.rglob("*")) == before
    train, val = found.splits
    assert (train.name, val.name) == ("train", "val")
    for split, pictures in ((train, 17), (val, 6)):
        assert split.annotations is not None and len(split.annotations.image_ids) == pictures
        first = split.annotations.file_names[0]
        assert (split.image_dir / first).is_file()
    assert len(train.annotations.classes) == 7
    # COCO's file has masks, and they are kept to be drawn
    assert (train.annotations.objects.masks is not None) == (layout == "COCO")


def test_what_is_broken_is_left_out_and_told(shapes_root: Path, tmp_path: Path) -> None:
    root = write_yolo(shapes_root, tmp_path / "yolo")
    whole = survey(root).splits[0].annotations
    label = next((root / "labels" / "train").iterdir())
    label.write_text("0 0.5 0.5 0.2 0.2\n0 0.5\n0 5 5 5 5\n")
    found = survey(root)
    assert found.num_problems == 2 and len(found.splits[0].problems) == 2
    assert whole is not None and found.splits[0].annotations is not None
    assert len(found.splits[0].annotations.image_ids) == len(whole.image_ids)


def test_pictures_in_two_splits(shapes_root: Path, tmp_path: Path) -> None:
    root = write_yolo(shapes_root, tmp_path / "yolo")
    assert not survey(root).notes
    text = (root / "data.yaml").read_text().replace("val: images/val", "val: images")
    (root / "data.yaml").write_text(text)
    assert f"17 pictures are in train and in val, first {root}/images/train/" in str(
        survey(root).notes
    )


def test_pictures_and_files_of_coco(shapes_root: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shapes_root, tmp_path / "coco"))
    picture = next((root / "val2017").iterdir())
    picture.write_bytes(picture.read_bytes()[:200])
    (root / "annotations" / "instances_train2017.json").write_text("{")
    train, val = survey(root).splits
    assert train.annotations is None and "is not a JSON file" in train.problems[0]
    assert val.annotations is not None and "1 pictures of" in val.problems[0]
    assert not survey(root, pictures=False).splits[1].problems
    picture.unlink()
    assert "1 images of" in survey(root, pictures=False).splits[1].problems[0]


def test_nothing_to_survey(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no annotations. Expected is COCO's layout"):
        survey(tmp_path)
    with pytest.raises(FileNotFoundError, match="nope is not there"):
        survey(tmp_path / "nope")
