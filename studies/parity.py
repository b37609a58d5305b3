"""Our 12 numbers against COCOeval's on odd random cases: python -m studies.parity"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from senet_mm.cli.errors import run
from senet_mm.coco.accumulate import accumulate
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results

_SIDE = 120  # pixels of an image; masks of large objects need about 100
_LARGEST = 1e5  # pixels, of a box


@dataclass(frozen=True)
class Parity:
    """What was found.

    Attributes:
        num_cases: Number of cases.
        num_defined: How many of their 12 numbers each COCOeval defines, in all.
        largest: Largest difference of any number.
        worst: The case with it.
    """

    num_cases: int
    num_defined: int
    largest: float
    worst: int


def check_parity(cases: Iterable[int], *, progress: bool = False) -> Parity:
    """Evaluate the cases with these seeds, every other one with masks."""
    seeds, total = list(cases), 0
    differences = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of boxes that leave their image
        for seed in tqdm(seeds, desc="cases", disable=not progress):
            iou_type = "segm" if seed % 2 else "bbox"
            truth, results = odd_case(seed, iou_type)
            expected = coco_eval(truth, results, iou_type)
            ours = _ours(Path(folder), truth, results, iou_type)
            differences.append(float(np.abs(ours - expected).max()))
            total += int(np.count_nonzero(expected != -1))
    worst = int(np.argmax(differences))
    return Parity(len(seeds), total, differences[worst], seeds[worst])


def odd_case(seed: int, iou_type: str = "bbox") -> tuple[dict, list[dict]]:
    """A random data set and results on it.

    Crowds, objects to ignore, equal scores and shapes, empty images and classes, boxes from
    thousandths of a pixel to far over the image's edge; masks as polygons, and as run lengths,
    compressed or not.
    """
    rng = np.random.default_rng(seed)
    num_images, num_classes = rng.integers(1, 5), rng.integers(1, 4)
    ids = rng.permutation(1000)[:num_images] + 1
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    digits = rng.choice([1, 2, 15])
    for image in ids.tolist():
        if rng.random() < 0.15:
            continue
        for _ in range(rng.integers(0, 7)):
            box = _box(rng, iou_type)
            crowd = int(rng.random() < 0.2)
            annotation = {
                "id": len(annotations) + 1,
                "image_id": image,
                "category_id": int(rng.integers(num_classes)) + 1,
                "bbox": box,
                "area": box[2] * box[3] * float(rng.uniform(0.3, 1)),
                "iscrowd": crowd,
            }
            if rng.random() < 0.2:
                annotation["ignore"] = int(rng.integers(2))
            if iou_type == "segm":
                form = rng.integers(1 if crowd else 0, 3)  # crowds are no polygons
                annotation["segmentation"] = _mask(box, form)
            annotations.append(annotation)
            for _ in range(rng.integers(0, 4)):
                near = box if rng.random() < 0.2 else _near(rng, box, iou_type)
                results.append(
                    {"image_id": image, "category_id": annotation["category_id"], "bbox": near}
                )
        for _ in range(rng.integers(0, 8)):
            category = int(rng.integers(num_classes)) + 1
            results.append(
                {"image_id": image, "category_id": category, "bbox": _box(rng, iou_type)}
            )
        if rng.random() < 0.05:  # more than count in an image
            own = [r for r in results if r["image_id"] == image]
            results += [dict(r) for r in own * 12]
    for entry in results:
        entry["score"] = round(float(rng.random()), int(digits))
        if iou_type == "segm":
            entry["segmentation"] = _mask(entry.pop("bbox"), rng.integers(1, 3))
    truth = {
        "images": [
            {"id": i, "width": _SIDE, "height": _SIDE, "file_name": f"{i}.jpg"}
            for i in ids.tolist()
        ],
        "categories": [{"id": c + 1, "name": f"class {c + 1}"} for c in range(num_classes)],
        "annotations": annotations,
    }
    return truth, [results[i] for i in rng.permutation(len(results))]


def _box(rng: np.random.Generator, iou_type: str) -> list[float]:
    """Of all sizes; as a mask, on whole pixels inside of the image."""
    if iou_type == "segm":
        x, y = rng.integers(0, _SIDE - 4, 2)
        width, height = (rng.integers(2, _SIDE - start) for start in (x, y))
        return [float(value) for value in (x, y, width, height)]
    low, high = [(1e-3, 1), (4, 40), (20, 150), (100, _LARGEST)][
        rng.choice(4, p=(0.1, 0.4, 0.4, 0.1))
    ]
    sides = np.exp(rng.uniform(np.log(low), np.log(high), 2))
    if rng.random() < 0.2:  # at the limit of a size
        sides = np.array([rng.choice([32.0, 96.0])] * 2)
    return [*rng.uniform(-20, _SIDE, 2).tolist(), *sides.tolist()]


def _near(rng: np.random.Generator, box: list[float], iou_type: str) -> list[float]:
    x, y, width, height = (np.array(box) * np.exp(rng.normal(0, 0.1, 4))).tolist()
    if iou_type == "bbox":
        return [x, y, width, height]
    x, y = (min(max(round(value), 0), _SIDE - 2) for value in (x, y))
    sides = (min(max(round(side), 1), _SIDE - start) for side, start in ((width, x), (height, y)))
    return [float(value) for value in (x, y, *sides)]


def _mask(box: list[float], form: int) -> Any:
    """A box without a corner as polygons (0), compressed (1) or uncompressed (2) run lengths."""
    x, y, width, height = box
    right, bottom = x + width, y + height
    polygon = [x, y, right, y, right, y + height / 2, x + width / 2, bottom, x, bottom]
    if form == 0:
        return [polygon]
    rle = mask_utils.merge(mask_utils.frPyObjects([polygon], _SIDE, _SIDE))
    if form == 1:
        return {"size": rle["size"], "counts": rle["counts"].decode()}
    flat = mask_utils.decode(rle).ravel(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    return {"size": rle["size"], "counts": np.diff([0, *edges, flat.size]).tolist()}


def _ours(folder: Path, truth: dict, results: list[dict], iou_type: str) -> np.ndarray:
    ann_file, results_file = folder / "truth.json", folder / "results.json"
    ann_file.write_text(json.dumps(truth))
    results_file.write_text(json.dumps(results))
    annotations = read_annotations(ann_file, masks=iou_type == "segm")
    matches = match(annotations, read_results(results_file, annotations, iou_type))
    once = np.ones((1, matches.num_images), dtype=np.int32)
    return np.nan_to_num(accumulate(matches, once).metrics()[0], nan=-1)


def coco_eval(truth: dict, results: list[dict], iou_type: str) -> np.ndarray:
    """(12,) numbers of pycocotools' COCOeval."""
    truth, results = json.loads(json.dumps([truth, results]))
    for entry in results:  # loadRes takes no lists
        mask = entry.get("segmentation")
        if mask is not None and isinstance(mask["counts"], list):
            entry["segmentation"] = mask_utils.frPyObjects(mask, *mask["size"])
    with contextlib.redirect_stdout(io.StringIO()):
        coco, found = COCO(), COCO()
        coco.dataset = truth
        coco.createIndex()
        if results:
            found = coco.loadRes(results)
        else:  # which loadRes refuses
            found.dataset = dict(truth, annotations=[])
            found.createIndex()
        evaluation = COCOeval(coco, found, iou_type)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    found = check_parity(range(args.first, args.first + args.cases), progress=True)
    print(
        f"{found.num_cases:,} cases, {found.num_defined:,} numbers: largest difference "
        f"{found.largest:.1e}, in case {found.worst}"
    )


if __name__ == "__main__":
    run(main)
