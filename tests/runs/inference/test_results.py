from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from pycocotools import mask
from pycocotools.coco import COCO
from torchvision.models._meta import _COCO_CATEGORIES

from senet_mm.runs.inference.results import category_ids, coco_results


def test_coco_keeps_its_numbers() -> None:
    classes = CocoDataset.METAINFO["classes"]
    # torchvision lists all that COCO planned, those without a class as N/A
    expected = {name: number for number, name in enumerate(_COCO_CATEGORIES)}
    assert dict(zip(classes, category_ids(classes), strict=True)) == {
        name: expected[name] for name in classes
    }
    assert category_ids(["red", "blue"]) == [1, 2]


def test_pycocotools_reads_them(tmp_path: Path) -> None:
    square = mask.frPyObjects([[0, 0, 10, 0, 10, 10, 0, 10]], 20, 30)[0]
    rle = {**square, "counts": square["counts"].decode()}
    first = dict(labels=[1, 0], scores=[0.9, 0.5], bboxes=[[1, 2, 11, 22], [0, 0, 3, 4.5]])
    with coco_results(tmp_path, ["red", "blue"]) as results:
        results.add("a.jpg", (30, 20), first)
        results.add("b/é.jpg", (30, 20), dict(labels=[], scores=[], bboxes=[]))
        results.add(
            "v.mp4", (30, 20), dict(labels=[0], scores=[1], bboxes=[[0, 0, 10, 10]], masks=[rle]), 7
        )
        assert not (tmp_path / "detections.json").exists()
    truth = COCO(str(tmp_path / "images.json"))
    found = truth.loadRes(str(tmp_path / "detections.json"))
    assert [image["file_name"] for image in truth.dataset["images"]] == [
        "a.jpg",
        "b/é.jpg",
        "v.mp4",
    ]
    assert truth.imgs[3] == dict(id=3, file_name="v.mp4", width=30, height=20, frame_id=7)
    one, two, last = found.dataset["annotations"]
    assert one["bbox"] == [1, 2, 10, 20] and one["area"] == 200 and one["score"] == 0.9
    assert [truth.cats[entry["category_id"]]["name"] for entry in (one, two)] == ["blue", "red"]
    assert found.annToMask(last).sum() == 100


def test_no_detections(tmp_path: Path) -> None:
    with coco_results(tmp_path, ["red"]):
        pass
    assert json.loads((tmp_path / "detections.json").read_text()) == []


def test_an_error_leaves_the_former_file(tmp_path: Path) -> None:
    (tmp_path / "detections.json").write_text("[]")
    with pytest.raises(RuntimeError), coco_results(tmp_path, ["red"]) as results:
        results.add("a.jpg", (3, 2), dict(labels=[0], scores=[1], bboxes=[[0, 0, 1, 1]]))
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["detections.json"]
    assert (tmp_path / "detections.json").read_text() == "[]"
