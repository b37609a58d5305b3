"""Small random COCO data sets and results, and COCOeval itself as the reference."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from senet_mm.coco.annotations import Annotations, read_annotations
from senet_mm.coco.matches import Matches
from senet_mm.coco.matching import match
from senet_mm.coco.outcomes import Outcomes, find_outcomes
from senet_mm.coco.results import read_results

SIDES = (12, 60, 150)  # of small, medium and large objects


def random_case(
    seed: int, *, ties: bool = False, num_images: int = 12, num_classes: int = 4
) -> tuple[dict, list[dict]]:
    """Crowds, all sizes, overlaps, images without objects, and detections of absent classes.

    The last class has no object and the one before it only small ones. With ``ties`` scores
    take few values.
    """
    rng = np.random.default_rng(seed)
    annotations, results = [], []
    for image_id in range(1, num_images + 1):
        boxes = []
        for _ in range(rng.integers(0, 7) if image_id % 4 else 0):
            category = int(rng.integers(1, num_classes))
            side = SIDES[0 if category == num_classes - 1 else rng.integers(3)]
            box = [*rng.uniform(0, 80, 2), *(side * rng.uniform(0.7, 1.4, 2))]
            boxes.append((category, box))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": category,
                    "bbox": box,
                    # as with masks, smaller than the box
                    "area": box[2] * box[3] * rng.uniform(0.5, 1),
                    "iscrowd": int(rng.random() < 0.15),
                }
            )
        # several near each object, and some anywhere
        for category, box in [*boxes, *boxes, *boxes]:
            found = np.array(box) * np.exp(rng.normal(0, 0.12, 4))
            results.append((image_id, category, found.tolist()))
        for _ in range(rng.integers(0, 25)):
            box = [*rng.uniform(0, 80, 2), *rng.uniform(5, 160, 2)]
            results.append((image_id, int(rng.integers(1, num_classes + 1)), box))
    scores = rng.permutation(len(results)) / len(results)
    if ties:
        scores = scores.round(1)
    truth = {
        "images": [
            {"id": i, "width": 400, "height": 400, "file_name": f"{i}.jpg"}
            for i in range(1, num_images + 1)
        ],
        "categories": [{"id": c, "name": f"class {c}"} for c in range(1, num_classes + 1)],
        "annotations": annotations,
    }
    entries = [
        {"image_id": image, "category_id": category, "bbox": box, "score": float(score)}
        for (image, category, box), score in zip(results, scores, strict=True)
    ]
    return truth, entries


def repeat_images(
    truth: dict, results: list[dict], weights: Sequence[int]
) -> tuple[dict, list[dict]]:
    """The data set with each image as often as its weight says, copies with ids in a row."""

    def repeat(entries: list[dict], key: str) -> list[dict]:
        return [
            {**entry, key: 100 * entry[key] + copy}
            for entry in entries
            for copy in range(weights[entry[key] - 1])
        ]

    annotations = repeat(truth["annotations"], "image_id")
    annotations = [{**a, "id": index} for index, a in enumerate(annotations, start=1)]
    images = repeat(truth["images"], "id")
    return truth | {"images": images, "annotations": annotations}, repeat(results, "image_id")


def read_truth(
    folder: Path, truth: dict, name: str = "truth.json", *, masks: bool = False
) -> Annotations:
    """Write annotations to a file, and read it."""
    path = folder / name
    path.write_text(json.dumps(truth))
    return read_annotations(path, masks=masks)


def write_case(folder: Path, truth: dict, results: list[dict], name: str = "") -> tuple[Path, Path]:
    paths = folder / f"{name}truth.json", folder / f"{name}results.json"
    for path, data in zip(paths, (truth, results), strict=True):
        path.write_text(json.dumps(data))
    return paths


def matches_of(folder: Path, truth: dict, results: list[dict], name: str = "") -> Matches:
    ann_file, results_file = write_case(folder, truth, results, name)
    detections = read_results(results_file, read_annotations(ann_file))
    masks = detections.iou_type == "segm"
    return match(read_annotations(ann_file, masks=masks), detections)


def coco_eval(truth: dict, results: list[dict], iou_type: str = "bbox") -> COCOeval:
    """pycocotools' evaluation, done the usual way."""
    truth, results = json.loads(json.dumps([truth, results]))
    with contextlib.redirect_stdout(io.StringIO()):
        coco, found = COCO(), COCO()
        coco.dataset = truth
        coco.createIndex()
        if results:
            found = coco.loadRes(results)
        else:
            found.dataset = dict(truth, annotations=[])
            found.createIndex()
        evaluation = COCOeval(coco, found, iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def outcomes_of(folder: Path, truth: dict, results: list[dict], name: str = "") -> Outcomes:
    ann_file, results_file = write_case(folder, truth, results, name)
    detections = read_results(results_file, read_annotations(ann_file))
    masks = detections.iou_type == "segm"
    return find_outcomes(read_annotations(ann_file, masks=masks), detections)


def once(record: Matches | Outcomes) -> np.ndarray:
    """(1, I) weights that count every image once."""
    return np.ones((1, record.num_images), dtype=int)
