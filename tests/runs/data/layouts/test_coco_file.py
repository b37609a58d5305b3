from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from senet_mm.runs.data.layouts.coco_file import coco_file, image_dir
from senet_mm.runs.data.layouts.label_files import LabelFiles
from senet_mm.runs.data.layouts.records import LabelFolder, Sample, Split
from senet_mm.runs.data.layouts.yolo_labels import parse_yolo

CLASSES = ("cat", "dog")


@pytest.fixture
def folder(tmp_path: Path) -> LabelFolder:
    """Three pictures of 40 x 20, the second without a label file."""
    samples = []
    for name in ("a", "b", "c"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros((20, 40, 3), np.uint8))
        label = None if name == "b" else tmp_path / f"{name}.txt"
        samples.append(Sample(tmp_path / f"{name}.png", label))
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.25 0.5\n0 0.25 0 1 0.5 0.5 1 0 0.5\n")
    (tmp_path / "c.txt").write_text("")
    splits = {"train": Split(tuple(samples))}
    parse = partial(parse_yolo, classes=CLASSES)
    return LabelFolder("YOLO", tmp_path, CLASSES, True, splits, parse, LabelFiles(tmp_path))


def made(folder: LabelFolder):
    return coco_file(folder, folder.splits["train"])


def test_what_it_holds(folder: LabelFolder) -> None:
    found = made(folder)
    assert not found.problems
    assert found.notes == (
        "1 of 3 pictures have no label file and are taken as background, first "
        f"{folder.root / 'b.png'}",
    )
    names = ("a.png", "b.png", "c.png")
    assert found.data["images"] == [
        dict(id=number, file_name=name, width=40, height=20) for number, name in enumerate(names, 1)
    ]
    assert found.data["categories"] == [dict(id=1, name="cat"), dict(id=2, name="dog")]
    box, polygon = found.data["annotations"]
    assert box == dict(id=1, image_id=1, category_id=2, bbox=[15, 5, 10, 10], area=100, iscrowd=0)
    assert polygon["bbox"] == [0, 0, 40, 20] and polygon["category_id"] == 1
    (outline,) = polygon["segmentation"]
    assert outline == [10, 0, 40, 10, 20, 20, 0, 10]
    rle = mask_utils.merge(mask_utils.frPyObjects([outline], 20, 40))
    assert polygon["area"] == pytest.approx(int(mask_utils.area(rle)), rel=0.05)
    assert polygon["area"] == 400  # by hand: half of 40 x 20


def test_what_is_broken_is_told_and_left_out(folder: LabelFolder) -> None:
    (folder.root / "a.txt").write_text("9 0.5 0.5 0.2 0.2\n1 0.5 0.5 0 0.2\n1 0.5 0.5 0.2 0.2\n")
    (folder.root / "c.png").write_bytes((folder.root / "c.png").read_bytes()[:30])
    (folder.root / "b.png").write_bytes(b"")
    os.truncate(folder.root / "b.png", 0)
    found = made(folder)
    assert len(found.problems) == 3
    assert f"{folder.root}/a.txt:1: class 9" in found.problems[0]
    assert f"{folder.root}/b.png is empty" in found.problems[1]
    assert "c.png cannot be read (truncated" in found.problems[2]
    assert "1 objects without extent are left out, first" in found.notes[0]
    assert len(found.data["annotations"]) == 1 and len(found.data["images"]) == 1


def test_where_file_names_start(folder: LabelFolder, tmp_path: Path) -> None:
    split = folder.splits["train"]
    assert image_dir(folder, split) == tmp_path
    other = LabelFolder("YOLO", tmp_path / "x", CLASSES, True, {}, folder.parse, folder.files)
    assert image_dir(other, split) == tmp_path  # they are below no folder of its own
