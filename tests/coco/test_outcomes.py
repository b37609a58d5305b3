from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as mask_utils

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.assignment import ERRORS
from senet_mm.coco.outcomes import find_outcomes
from senet_mm.coco.results import read_results
from tests.coco.coco_cases import outcomes_of, random_case, write_case
from tests.coco.plain_tide import classify


def hand_made() -> tuple[dict, list[dict]]:
    """One detection of each kind on objects of two classes, and a crowd."""
    truth, _ = random_case(0, num_images=2, num_classes=2)
    boxes = [[0, 0, 40, 40], [100, 0, 40, 40], [200, 0, 40, 40], [300, 0, 20, 20], [0, 200, 99, 99]]
    annotations = [
        dict(id=index, image_id=1, category_id=category, bbox=box, area=box[2] * box[3], iscrowd=0)
        for index, (category, box) in enumerate(zip((1, 1, 2, 2, 1), boxes, strict=True), start=1)
    ]
    annotations[-1]["iscrowd"] = 1
    found = [
        (1, [0, 0, 40, 36]),  # a hit: IoU 0.9
        (1, [0, 0, 40, 40]),  # duplicate
        (1, [120, 0, 40, 40]),  # localization: IoU 1/3
        (1, [200, 0, 40, 40]),  # classification
        (2, [110, 0, 40, 40]),  # classification: IoU 0.6 with an object of class 1
        (1, [310, 0, 20, 20]),  # both: IoU 1/3 with an object of class 2
        (2, [370, 370, 20, 20]),  # background
        (1, [10, 210, 20, 20]),  # in the crowd
        (2, [10, 210, 20, 20]),  # in a crowd of another class: background
    ]
    results = [
        dict(image_id=1, category_id=category, bbox=box, score=1 - place / 10)
        for place, (category, box) in enumerate(found)
    ]
    return truth | {"annotations": annotations}, results


def test_one_of_each_kind(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *hand_made())
    kinds = ["hit" if error < 0 else ERRORS[error] for error in outcomes.error]
    assert kinds == [
        "hit",
        "duplicate",
        "localization",
        "classification",
        "classification",
        "both",
        "background",
        "background",
        "background",
    ]
    assert outcomes.found.tolist() == [0, *[-1] * 8]
    assert outcomes.iou.tolist() == [pytest.approx(0.9), *[0] * 8]
    assert outcomes.is_ignored.tolist() == [False] * 7 + [True, False]
    # object 1 is aimed at by two, of which the better one is mended; object 2 by one
    assert outcomes.fixed_class.tolist() == [-1, -1, 0, 1, -1, -1, -1, -1, -1]
    assert outcomes.is_missed.tolist() == [False, False, False, True]
    assert outcomes.confused.tolist() == [-1, -1, -1, 2, 1, -1, -1, -1, -1]
    assert outcomes.object_size.tolist() == [1, 1, 1, 0]
    assert outcomes.error_size.tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(6))
def test_as_a_plain_reading_of_the_paper(seed: int, tmp_path: Path) -> None:
    truth, results = random_case(seed)
    found, objects = classify(truth, results)
    outcomes = outcomes_of(tmp_path, truth, results)
    errors = [None if error < 0 else ERRORS[error] for error in outcomes.error]
    assert errors == [one["error"] for one in found]
    assert len(set(errors)) > 5
    states = np.where(outcomes.hits, "hit", np.where(outcomes.is_ignored, "ignored", "false"))
    assert states.tolist() == [one["state"] for one in found]
    assert (outcomes.fixed_class >= 0).tolist() == [one["wins"] for one in found]
    assert outcomes.is_missed.tolist() == [o["missed"] for o in objects]


def test_the_best_hundred_of_an_image_count(tmp_path: Path) -> None:
    truth, results = random_case(1)
    more = [{**entry, "image_id": 1, "score": entry["score"] / 2} for entry in results]
    outcomes = outcomes_of(tmp_path, truth, results + more)
    first = outcomes.image == 0
    assert np.count_nonzero(first) == 100
    scores = sorted((e["score"] for e in results + more if e["image_id"] == 1), reverse=True)
    assert outcomes.score[first].tolist() == scores[:100]


def test_masks_are_matched_as_masks(tmp_path: Path) -> None:
    """Boxes as masks: their overlaps are those of boxes on whole pixels."""
    truth, results = hand_made()
    boxes = outcomes_of(tmp_path, truth, results)
    for annotation in truth["annotations"]:
        x, y, width, height = annotation["bbox"]
        right, bottom = x + width, y + height
        annotation["segmentation"] = [[x, y, right, y, right, bottom, x, bottom]]
        if annotation["iscrowd"]:
            rle = mask_utils.frPyObjects(annotation["segmentation"], 400, 400)[0]
            annotation["segmentation"] = rle | {"counts": rle["counts"].decode()}
    for entry in results:
        x, y, width, height = entry.pop("bbox")
        mask = np.zeros((400, 400), dtype=np.uint8, order="F")
        mask[y : y + height, x : x + width] = 1
        rle = mask_utils.encode(mask)
        entry["segmentation"] = rle | {"counts": rle["counts"].decode()}
    masks = outcomes_of(tmp_path, truth, results, "masks_")
    for name in ("found", "error", "is_ignored", "fixed_class", "error_size"):
        np.testing.assert_array_equal(getattr(masks, name), getattr(boxes, name), name)


def test_masks_need_masks_in_the_annotations(tmp_path: Path) -> None:
    truth, results = hand_made()
    for entry in results:
        entry["segmentation"] = {"size": [400, 400], "counts": [160_000]}
    ann_file, results_file = write_case(tmp_path, truth, results)
    annotations = read_annotations(ann_file)
    with pytest.raises(ValueError, match=r"the masks of .*truth\.json were not read"):
        find_outcomes(annotations, read_results(results_file, annotations))


@pytest.mark.parametrize("empty", ["annotations", "results"])
def test_nothing_to_find_or_nothing_found(empty: str, tmp_path: Path) -> None:
    truth, results = hand_made()
    if empty == "annotations":
        truth["annotations"] = []
    outcomes = outcomes_of(tmp_path, truth, [] if empty == "results" else results)
    assert (outcomes.error == ERRORS.index("background")).all()
    assert outcomes.is_missed.all()
    assert (len(outcomes.score), len(outcomes.object_image)) == (
        (0, 4) if empty == "results" else (9, 0)
    )
