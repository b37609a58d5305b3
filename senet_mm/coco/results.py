"""COCO results files, of any framework, read and checked against an annotation file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from .annotations import Annotations
from .masks import compress

IOU_TYPES = ("bbox", "segm")
_SHAPES = {"bbox": "bbox", "segm": "segmentation"}  # key of the shape in an entry
_Describe = Callable[[Any], str]
_TOLERANCE = 1.0  # pixels by which a box may reach over the image's edge


@dataclass(frozen=True)
class Detections:
    """The N detections of a results file, in the file's order.

    Attributes:
        path: The file.
        iou_type: 'bbox' or 'segm'.
        image: (N,) index into the images of the :class:`..annotations.Annotations`.
        category: (N,) index into its categories.
        score: (N,) scores.
        area: (N,) area in pixels, of the box or of the mask.
        shapes: N boxes [x, y, width, height], or N compressed RLE masks.
        num_outside: Number of boxes that reach over the image's edge.
    """

    path: Path
    iou_type: str
    image: np.ndarray
    category: np.ndarray
    score: np.ndarray
    area: np.ndarray
    shapes: list
    num_outside: int = 0


def read_results(
    path: str | Path, annotations: Annotations, iou_type: str | None = None
) -> Detections:
    """Read and check a results file.

    A list without entries is a detector that found nothing. Images without an entry are images
    where nothing was found. Boxes that reach over the image's edge are taken as they are, as
    COCOeval does, with a warning. The size class of a mask comes from the mask, also where the
    entry has a box, as in mmdet (pycocotools' ``loadRes`` takes the box there).

    Args:
        path: The file: a list of dicts with image_id, category_id, score and bbox or
            segmentation (RLE).
        annotations: The annotations it belongs to.
        iou_type: What to evaluate, 'bbox' or 'segm'. By default 'segm' where the first entry has
            a segmentation; of an empty list, where the file's name ends in ``.segm.json``.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no list of such entries, or names images or categories that are not
            in the annotation file, or if a score or box is not finite or a side is negative. The
            message has the file, how many entries are wrong, and the first of them.
    """
    path = Path(path)
    if iou_type not in (None, *IOU_TYPES):
        raise ValueError(f"iou_type is {iou_type!r}; expected 'bbox' or 'segm'")
    entries = _read_list(path)
    iou_type = iou_type or _deduce_type(path, entries)
    shape = _SHAPES[iou_type]
    required = {"image_id", "category_id", "score", shape}
    _refuse(
        path,
        entries,
        [not isinstance(entry, dict) or not required <= entry.keys() for entry in entries],
        lambda entry: (
            f"lacks {', '.join(sorted(required - entry.keys()))}"
            if isinstance(entry, dict)
            else f"is {entry!r:.40}, no object"
        ),
    )
    image = _indices(path, entries, "image_id", annotations.image_ids, annotations.path)
    category = _indices(path, entries, "category_id", annotations.category_ids, annotations.path)
    _refuse(
        path,
        entries,
        ~np.array([_is_finite(entry["score"]) for entry in entries], dtype=bool),
        lambda entry: f"has score {entry['score']!r}; expected a finite number",
    )
    score = np.array([entry["score"] for entry in entries], dtype=float)
    shapes = [entry[shape] for entry in entries]
    if iou_type == "bbox":
        boxes = _boxes(path, entries)
        num_outside = _count_outside(path, boxes, annotations.image_sizes[image])
        area = boxes[:, 2] * boxes[:, 3]
        return Detections(path, iou_type, image, category, score, area, shapes, num_outside)
    masks = _masks(path, entries, annotations.image_sizes[image])
    # one by one: of more than 255 masks pycocotools' area fails with numpy 2
    area = np.array([mask_utils.area(mask) for mask in masks], dtype=float)
    return Detections(path, iou_type, image, category, score, area, masks)


def _read_list(path: Path) -> list:
    if not path.is_file():
        raise FileNotFoundError(f"results file {path} not found")
    try:
        entries = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a whole JSON file: {error}") from error
    if not isinstance(entries, list):
        raise ValueError(
            f"{path} is no COCO results file: it holds a {type(entries).__name__}; expected a "
            "list of objects with image_id, category_id, score and bbox or segmentation"
        )
    return entries


def _deduce_type(path: Path, entries: list) -> str:
    if entries and isinstance(entries[0], dict):
        return "segm" if entries[0].get("segmentation") else "bbox"
    return "segm" if path.name.endswith(".segm.json") else "bbox"


def _refuse(
    path: Path, entries: list[Any], wrong: Sequence[bool] | np.ndarray, describe: _Describe
) -> None:
    """Raises with the number of wrong entries and the first of them."""
    indices = np.flatnonzero(wrong)
    if indices.size:
        first = int(indices[0])
        raise ValueError(
            f"{path}: {indices.size} of {len(entries)} entries are wrong; entry {first} "
            f"{describe(entries[first])}"
        )


def _indices(
    path: Path, entries: list[dict], key: str, known: Sequence[int | str], ann_file: Path
) -> np.ndarray:
    """Index of each entry's id among the known ones."""
    lookup = {value: index for index, value in enumerate(known)}
    try:
        indices = np.array([lookup.get(entry[key], -1) for entry in entries], dtype=np.int32)
    except TypeError as error:  # a list or dict in the id's place
        raise ValueError(f"{path}: a {key} is no id: {error}") from error
    _refuse(
        path,
        entries,
        indices < 0,
        lambda entry: (
            f"has {key} {entry[key]!r}, which is not among the {len(known)} of {ann_file}: the "
            "results belong to another data set or split"
        ),
    )
    return indices


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < np.inf  # NaN compares false


def _boxes(path: Path, entries: list[dict]) -> np.ndarray:
    """(N, 4) boxes, checked."""

    def wrong(box: object) -> bool:
        return (
            not isinstance(box, list)
            or len(box) != 4
            or not all(map(_is_finite, box))
            or box[2] < 0
            or box[3] < 0
        )

    _refuse(
        path,
        entries,
        [wrong(entry["bbox"]) for entry in entries],
        lambda entry: (
            f"has bbox {entry['bbox']!r}; expected [x, y, width, height], finite, with sides of 0 "
            "or more"
        ),
    )
    return np.array([entry["bbox"] for entry in entries], dtype=float).reshape(-1, 4)


def _count_outside(path: Path, boxes: np.ndarray, sizes: np.ndarray) -> int:
    over = (boxes[:, :2] < -_TOLERANCE) | (boxes[:, :2] + boxes[:, 2:] > sizes + _TOLERANCE)
    num_outside = int(np.count_nonzero(over.any(axis=1)))
    if num_outside:
        warnings.warn(
            f"{path}: {num_outside} of {len(boxes)} boxes reach over their image's edge by more "
            f"than a pixel; they are evaluated as they are, as COCOeval does",
            stacklevel=3,
        )
    return num_outside


def _masks(path: Path, entries: list[dict], sizes: np.ndarray) -> list[dict]:
    """Compressed RLE of each entry, checked."""

    def wrong(mask: object, size: np.ndarray) -> bool:
        if not isinstance(mask, dict) or not isinstance(mask.get("counts"), str | list):
            return True
        if not isinstance(mask.get("size"), list) or len(mask["size"]) != 2:
            return True
        return bool(np.isfinite(size).all() and mask["size"] != [size[1], size[0]])

    _refuse(
        path,
        entries,
        [wrong(entry["segmentation"], size) for entry, size in zip(entries, sizes, strict=True)],
        lambda entry: (
            f"has segmentation {str(entry['segmentation'])[:60]}; expected RLE, a dict of counts "
            "and size, with the image's height and width as size"
        ),
    )
    masks = [entry["segmentation"] for entry in entries]
    return [compress(mask, *mask["size"]) for mask in masks]
