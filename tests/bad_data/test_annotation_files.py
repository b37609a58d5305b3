"""Annotation files that are not quite COCO's: what a run does with each, before it computes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pycocotools import mask as mask_utils

from senet_mm.coco.annotations import read_annotations

from .cases import BOXES, MASKS, Edit, Outcome, edit, file_of, read_by_mmdet

pytestmark = pytest.mark.slow

Run = Callable[..., Outcome]
TRAIN, DEMO = "train", f"senet_mm::{BOXES}"


def every(part: str, **values: object) -> Edit:
    """Set keys of all entries."""
    return lambda data: [entry.update(values) for entry in data[part]]


def without(part: str, *keys: str) -> Edit:
    return lambda data: [entry.pop(key) for entry in data[part] for key in keys]


def one(part: str, **values: object) -> Edit:
    """Set keys of the second entry."""
    return lambda data: data[part][1].update(values)


def boxes(convert: Callable[..., list[float]]) -> Edit:
    def change(data: dict) -> None:
        for entry in data["annotations"]:
            entry["bbox"] = convert(*entry["bbox"])

    return change


def lost(part: str, key: str) -> Edit:
    return lambda data: data[part][1].pop(key)


REFUSED = [
    # (what is changed, what the line says)
    (lost("annotations", "bbox"), r"instances_\w+2017.json .*lacks 'bbox' \(annotation 2\)"),
    (one("annotations", bbox=None), "annotation 2 has bbox None; expected"),
    (one("annotations", bbox=[1, 2, 3]), r"annotation 2 has bbox \[1, 2, 3\]; expected"),
    (one("annotations", bbox=["1", 2, 3, 4]), r"annotation 2 has bbox \['1', 2, 3, 4\]"),
    (one("annotations", bbox={"x": 1}), "annotation 2 has bbox {'x': 1}; expected"),
    (one("annotations", area="12"), "annotation 2 has area '12'; expected a number of pixels"),
    (one("annotations", area=-4), "annotation 2 has area -4; expected a number of pixels, 0 or"),
    (one("annotations", area=float("nan")), "annotation 2 has area nan"),
    (one("annotations", area=[12]), r"annotation 2 has area \[12\]"),
    (one("annotations", iscrowd="0"), "annotation 2 has iscrowd '0'; expected 0 or 1"),
    (one("annotations", iscrowd=3), "annotation 2 has iscrowd 3; expected 0 or 1"),
    (one("annotations", ignore="no"), "annotation 2 has ignore 'no'; expected 0 or 1"),
    (lost("annotations", "image_id"), r"lacks 'image_id' \(annotation 2\)"),
    (one("annotations", image_id=None), "annotation 2 has image_id None, which is not in the"),
    (lost("annotations", "category_id"), r"lacks 'category_id' \(annotation 2\)"),
    (one("annotations", category_id=0), "annotation 2 has category_id 0, which is not in"),
    (one("annotations", category_id="1"), "annotation 2 has category_id '1', which is not in"),
    (lost("annotations", "id"), r"annotation number 1 \(of image 1\) has no id"),
    (one("annotations", id=None), "ids of 'annotations' are NoneType and int"),
    (one("annotations", id=1), "1 ids of 'annotations' are there more than once, first 1"),
    (one("images", id=1), "1 ids of 'images' are there more than once, first 1"),
    (lost("images", "file_name"), r"lacks 'file_name' \(image 2\)"),
    (one("images", file_name=None), "image 2 has file_name None; expected a text"),
    (one("images", width="128"), "image 2 has width '128'; expected a number of pixels above 0"),
    (one("images", height=-128), "image 2 has height -128; expected a number"),
    (lost("categories", "name"), r"lacks 'name' \(category 2\)"),
    (one("categories", name=7), "category 2 has name 7; expected a text"),
    (one("categories", name="square"), r"several categories of the name 'square' \(ids 1, 2\)"),
    (lambda data: data.pop("categories"), "has no list 'categories'"),
    (lambda data: data.update(images=None), "has no list 'images'"),
    (lambda data: data.update(annotations={}), "has no list 'annotations'"),
    (lambda data: data["annotations"].clear(), "has no annotation: there is nothing to train on"),
    (
        every("annotations", iscrowd=1),
        r"no annotation but crowds \(\d+ with iscrowd=1, .*\): there",
    ),
    # boxes of another format
    (
        boxes(lambda x, y, w, h: [x, y, x + w, y + h]),
        r"are boxes inside of it if read as corners \[x1, y1, x2, y2\]: write x2 - x1",
    ),
    (
        boxes(lambda x, y, w, h: [x / 128, y / 128, w / 128, h / 128]),
        r"\d+ of \d+ objects would be dropped \(\d+ with a side under a pixel\); all numbers of "
        r"its boxes are in 0\.\.1",
    ),
    (boxes(lambda x, y, w, h: [x + 500, y, w, h]), r"dropped \(\d+ outside of their image\)"),
    (boxes(lambda x, y, w, h: [x, y, -w, h]), r"dropped \(\d+ with a side under a pixel\)"),
    (every("annotations", area=0), r"dropped \(\d+ of no area\)"),
    (every("annotations", ignore=1), r"dropped \(\d+ with ignore\)"),
    # pictures of another size
    (every("images", width=64, height=64), "have another size than .* is 128x128 .* says 64x64"),
    (one("images", width=127), "1 pictures have another size than"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_refused_in_one_line(
    tried: Run, root: Path, tmp_path: Path, change: Edit, message: str
) -> None:
    edit(root, change)
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.refused(message)
    assert outcome.config is None


MENDED = [
    # (what is changed, what is told)
    (without("annotations", "area"), "area is that of the mask, or of the box"),
    (every("annotations", area=None), "area is that of the mask, or of the box"),
    (without("annotations", "area", "segmentation"), "area is that of the mask, or of the box"),
    (without("annotations", "iscrowd"), "iscrowd is 0 where it is absent"),
    (one("annotations", iscrowd=None), "iscrowd is 0 where it is absent (1 objects)"),
    (without("images", "width", "height"), "width and height are the picture's"),
    (one("images", height=None), "width and height are the picture's where they are absent (1"),
    (without("annotations", "area", "iscrowd"), "iscrowd is 0 where it is absent"),
]


@pytest.mark.parametrize(("change", "note"), MENDED)
def test_a_default_reaches_mmdet_and_its_evaluation(
    tried: Run, root: Path, tmp_path: Path, change: Edit, note: str
) -> None:
    before = {split: read_annotations(file_of(root, split)) for split in ("train", "val")}
    edit(root, change)
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted(note)
    metrics = read_by_mmdet(outcome.config)
    assert metrics["coco/bbox_mAP"] == 1
    # the config of a work dir names the originals again, wherever it is read
    original, saved = file_of(root, "val"), tmp_path / "saved.py"
    outcome.config.dump(saved)
    copy = outcome.config.val_evaluator.ann_file
    assert Path(copy).parent == tmp_path / "w" / "annotations"
    read = read_annotations(copy)
    assert read.mended == () and read.image_sizes.tolist() == before["val"].image_sizes.tolist()
    again = tried("train", saved, "--data-root", root, "--work-dir", tmp_path / "w2")
    again.accepted(note)
    assert str(tmp_path / "w2") in again.config.val_evaluator.ann_file
    assert original.is_file()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark(tried: Run, root: Path, tmp_path: Path, encoding: str) -> None:
    for split in ("train", "val"):
        text = file_of(root, split).read_text()
        file_of(root, split).write_bytes(text.encode(encoding))
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted("it is UTF-8 without a byte order mark")
    assert read_by_mmdet(outcome.config)["coco/bbox_mAP"] == 1


def test_a_validation_without_objects_is_told(tried: Run, root: Path, tmp_path: Path) -> None:
    edit(root, lambda data: data["annotations"].clear(), ["val"])
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted(
        "instances_val2017.json has no annotation: there is nothing to find, all of AP"
    )


def test_pictures_that_are_trained_on_and_judged_by_are_told(
    tried: Run, root: Path, tmp_path: Path
) -> None:
    shutil.copy(file_of(root, "train"), file_of(root, "val"))
    shutil.copytree(root / "train2017", root / "val2017", dirs_exist_ok=True)
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted("pictures of val_dataloader are in train_dataloader too")


def test_a_whole_file_is_read_where_it_is(tried: Run, root: Path, tmp_path: Path) -> None:
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted()
    assert outcome.config.val_evaluator.ann_file == str(file_of(root, "val"))
    assert not (tmp_path / "w" / "annotations").exists()


def runs_of(entry: dict, *, compressed: bool, size: tuple[int, int] = (128, 128)) -> dict:
    """The mask of a box as run lengths."""
    x, y, w, h = entry["bbox"]
    polygon = [[x, y, x + w, y, x + w, y + h, x, y + h]]
    merged = mask_utils.merge(mask_utils.frPyObjects(polygon, *size))
    if compressed:
        return dict(size=list(size), counts=merged["counts"].decode())
    flat, counts, current = mask_utils.decode(merged).T.ravel().tolist(), [0], 0
    for value in flat:
        if value != current:
            counts.append(0)
            current = value
        counts[-1] += 1
    return dict(size=list(size), counts=counts)


def second_mask(make: Callable[[dict], object]) -> Edit:
    def change(data: dict) -> None:
        data["annotations"][1]["segmentation"] = make(data["annotations"][1])

    return change


WRONG_MASKS = [
    (
        lost("annotations", "segmentation"),
        "annotations have no segmentation, first 2. Masks",
    ),
    (second_mask(lambda a: None), "annotations have no segmentation, first 2. Masks"),
    (second_mask(lambda a: []), "have no segmentation, first 2"),
    (second_mask(lambda a: {}), "have no segmentation, first 2"),
    (second_mask(lambda a: [[]]), "that is no mask, first 2, which has a polygon of 0 numbers"),
    (second_mask(lambda a: [1, 1, 9, 1, 9, 9]), "first 2, which has the flat list"),
    (second_mask(lambda a: [[1, 1, 9, 9]]), "has a polygon of 4 numbers; expected x and y of 3"),
    (second_mask(lambda a: [[1, 1, 9, 1, 9, 9, 5]]), "has a polygon of 7 numbers"),
    (second_mask(lambda a: [[1, 1, 9, 1, 9, "9"]]), "expected finite numbers"),
    (second_mask(lambda a: [[1, 1, 9, 1, 9, float("nan")]]), "expected finite numbers"),
    (second_mask(lambda a: "mask.png"), "has segmentation 'mask.png'; expected polygons or run"),
    (
        second_mask(lambda a: runs_of(a, compressed=True, size=(64, 128))),
        r"run lengths of size \[64, 128\]; its image has \[height, width\] \[128, 128\]",
    ),
    (
        second_mask(lambda a: runs_of(a, compressed=True) | dict(size=None)),
        "has run lengths of size None; expected",
    ),
    (
        second_mask(lambda a: dict(size=[128, 128], counts=[5, 5])),
        r"run lengths of 10 pixels in all; its size is \[128, 128\]",
    ),
    (second_mask(lambda a: dict(size=[128, 128])), "has counts None; expected run lengths"),
    (
        second_mask(lambda a: dict(size=[128, 128], counts="~~")),
        "has counts '~~'; expected run lengths",
    ),
]


@pytest.mark.parametrize(("change", "message"), WRONG_MASKS)
@pytest.mark.parametrize("split", ["train", "val"])
def test_masks_are_needed_by_a_detector_of_masks(
    tried: Run, root: Path, tmp_path: Path, split: str, change: Edit, message: str
) -> None:
    edit(root, change, [split])
    arguments = ("--data-root", root, "--work-dir", tmp_path / "w")
    line = tried(TRAIN, f"senet_mm::{MASKS}", *arguments)
    line.refused(rf"instances_{split}2017.json: 1 of \d+ annotations have ")
    line.refused(message)
    tried(TRAIN, DEMO, *arguments).accepted()  # and by no other


@pytest.mark.parametrize("compressed", [True, False])
def test_run_lengths_are_masks(tried: Run, root: Path, tmp_path: Path, compressed: bool) -> None:
    def change(data: dict) -> None:
        for entry in data["annotations"]:
            entry["segmentation"] = runs_of(entry, compressed=compressed)

    edit(root, change)
    arguments = ("--data-root", root, "--work-dir", tmp_path / "w")
    tried(TRAIN, f"senet_mm::{MASKS}", *arguments).accepted()


DROPPED = [
    (one("annotations", bbox=[3, 3, 0.5, 9]), "1 with a side under a pixel"),
    (one("annotations", bbox=[300, 3, 9, 9]), "1 outside of their image"),
    (one("annotations", area=0), "1 of no area"),
    (one("annotations", ignore=1), "1 with ignore"),
    (one("annotations", bbox=[120, 3, 30, 9]), "boxes of"),
]


@pytest.mark.parametrize(("change", "note"), DROPPED)
def test_what_mmdet_drops_is_told(
    tried: Run, root: Path, tmp_path: Path, change: Edit, note: str
) -> None:
    edit(root, change, ["train"])
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted(note)


def test_a_pipe_is_no_annotation_file(tried: Run, root: Path, tmp_path: Path) -> None:
    file_of(root, "val").unlink()
    os.mkfifo(file_of(root, "val"))
    outcome = tried(TRAIN, DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.refused("instances_val2017.json is no regular file")


def test_results_are_compared_on_what_lacks_an_area(
    root: Path, tmp_path: Path, results_files: list[Path], tried: Run
) -> None:
    edit(root, without("annotations", "area", "iscrowd"), ["val"])
    out = ("--out-dir", tmp_path / "out", "--num-resamples", 10)
    line = ("compare", *results_files[:2], "--ann-file", file_of(root, "val"), *out)
    assert tried(*line).code == 0
    edit(root, boxes(lambda x, y, w, h: [x / 128, y / 128, w / 128, h / 128]), ["val"])
    tried(*line).refused("multiply them by the image's width and height")
    json.loads((tmp_path / "out" / "report.json").read_text())
