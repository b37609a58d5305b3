"""COCO's matching of detections to objects, done once by pycocotools and kept compactly."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.utils import track_iter_progress
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .results import Detections
from .truth import Truth

_IMAGES_AT_ONCE = 100  # bounds the memory of COCOeval, which keeps a dict per image and class


@dataclass(frozen=True)
class ClassMatches:
    """One class: its D detections by falling score, in COCOeval's order, and its objects.

    COCOeval has A = 4 area ranges (all, small, medium, large) and T = 10 IoU thresholds.

    Attributes:
        image: (D,) int32, index of the image.
        rank: (D,) int16, place among the detections of the class in the image, from 0.
        found: (A, T, D) bool, whether it found an object that counts in the range.
        counted: (A, T, D) bool, whether it counts in the range; it is a false positive if it
            found nothing.
        objects: A int32 arrays, the image index of each object that counts in the range.
    """

    image: np.ndarray
    rank: np.ndarray
    found: np.ndarray
    counted: np.ndarray
    objects: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Matches:
    """All that evaluation needs of one results file.

    Attributes:
        num_images: Number I of images, with or without objects.
        classes: Name of each category.
        by_class: Matches of each category.
    """

    num_images: int
    classes: tuple[str, ...]
    by_class: tuple[ClassMatches, ...]

    def subset(self, images: np.ndarray) -> Matches:
        """The matches in some of the images, which take the order given (no index twice)."""
        place = np.full(self.num_images, -1, dtype=np.int32)
        place[images] = np.arange(len(images))
        return Matches(len(images), self.classes, tuple(_subset(c, place) for c in self.by_class))


def match(truth: Truth, detections: Detections, *, progress: bool = False) -> Matches:
    """Match detections to objects by ``COCOeval.evaluate``.

    Args:
        truth: The annotations.
        detections: What was found, from :func:`..results.read_results` with the same ``truth``.
        progress: Whether to show a bar on stderr.

    Raises:
        ValueError: If masks are asked for and an object has none.
    """
    if detections.iou_type == "segm":
        _check_has_masks(truth)
    num_images = len(truth.image_ids)
    order = np.argsort(detections.image, kind="stable")
    bounds = np.searchsorted(detections.image[order], np.arange(num_images + 1))
    starts = range(0, num_images, _IMAGES_AT_ONCE)
    parts: list[list[_Part]] = [[] for _ in truth.category_ids]
    for start in track_iter_progress(starts, file=sys.stderr) if progress else starts:
        stop = min(start + _IMAGES_AT_ONCE, num_images)
        chosen = order[bounds[start] : bounds[stop]]
        evaluated = _match_images(truth, detections, chosen, start, stop)
        for matched, part in zip(parts, evaluated, strict=True):
            matched.extend(part)
    return Matches(num_images, truth.classes, tuple(map(_join, parts)))


@dataclass(frozen=True)
class _Part:
    """Matches of one class in some images, before sorting by score."""

    score: np.ndarray
    matches: ClassMatches


def _match_images(
    truth: Truth, detections: Detections, chosen: np.ndarray, start: int, stop: int
) -> list[list[_Part]]:
    """For each class, the matches in the images from ``start`` to ``stop``."""
    image_ids = truth.image_ids[start:stop]
    # copies, as COCOeval writes into the annotations
    objects = [dict(a) for image_id in image_ids for a in truth.coco.imgToAnns[image_id]]
    found = _entries(truth, detections, chosen)
    evaluation = COCOeval(
        _as_coco(truth, image_ids, objects),
        _as_coco(truth, image_ids, found),
        detections.iou_type,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()
    areas, images = len(evaluation.params.areaRng), stop - start
    parts = []
    for at in range(0, len(evaluation.evalImgs), areas * images):
        by_area = [
            evaluation.evalImgs[at + a * images : at + (a + 1) * images] for a in range(areas)
        ]
        present = [i for i in range(images) if by_area[0][i] is not None]
        parts.append([_read(by_area, present, start)] if present else [])
    return parts


def _entries(truth: Truth, detections: Detections, chosen: np.ndarray) -> list[dict]:
    """The chosen detections as ``COCO.loadRes`` would make them."""
    shape = "bbox" if detections.iou_type == "bbox" else "segmentation"
    return [
        {
            "id": index + 1,
            "image_id": truth.image_ids[detections.image[index]],
            "category_id": truth.category_ids[detections.category[index]],
            "score": float(detections.score[index]),
            "area": float(detections.area[index]),
            "iscrowd": 0,
            shape: detections.shapes[index],
        }
        for index in chosen.tolist()
    ]


def _as_coco(truth: Truth, image_ids: Sequence[int | str], annotations: list[dict]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [truth.coco.imgs[image_id] for image_id in image_ids],
        "categories": truth.coco.dataset["categories"],
        "annotations": annotations,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def _read(by_area: Sequence[Sequence[dict]], present: Sequence[int], start: int) -> _Part:
    """Reads COCOeval's records of one class, as ``COCOeval.accumulate`` does."""
    rows = [[records[i] for i in present] for records in by_area]
    lengths = [len(record["dtScores"]) for record in rows[0]]
    matched, ignored = (
        np.stack([np.concatenate([r[key] for r in records], axis=1) for records in rows]) != 0
        for key in ("dtMatches", "dtIgnore")
    )
    objects = [
        np.repeat(
            np.array(present, dtype=np.int32) + start,
            [len(r["gtIgnore"]) - np.count_nonzero(r["gtIgnore"]) for r in records],
        )
        for records in rows
    ]
    return _Part(
        score=np.concatenate([record["dtScores"] for record in rows[0]]),
        matches=ClassMatches(
            image=np.repeat(np.array(present, dtype=np.int32) + start, lengths),
            rank=np.concatenate([np.arange(length, dtype=np.int16) for length in lengths]),
            found=matched & ~ignored,
            counted=~ignored,
            objects=tuple(objects),
        ),
    )


def _join(parts: Sequence[_Part]) -> ClassMatches:
    """Joins one class' parts in the order of images, and sorts as COCOeval does."""
    if not parts:
        nothing = COCOeval(iouType="bbox").params
        shape = (len(nothing.areaRng), len(nothing.iouThrs), 0)
        return ClassMatches(
            image=np.zeros(0, np.int32),
            rank=np.zeros(0, np.int16),
            found=np.zeros(shape, bool),
            counted=np.zeros(shape, bool),
            objects=(np.zeros(0, np.int32),) * shape[0],
        )
    order = np.argsort(-np.concatenate([part.score for part in parts]), kind="stable")
    matches = [part.matches for part in parts]
    return ClassMatches(
        image=np.concatenate([m.image for m in matches])[order],
        rank=np.concatenate([m.rank for m in matches])[order],
        found=np.concatenate([m.found for m in matches], axis=2)[:, :, order],
        counted=np.concatenate([m.counted for m in matches], axis=2)[:, :, order],
        objects=tuple(map(np.concatenate, zip(*(m.objects for m in matches), strict=True))),
    )


def _subset(matches: ClassMatches, place: np.ndarray) -> ClassMatches:
    image = place[matches.image]
    kept = np.flatnonzero(image >= 0)
    objects = [place[images] for images in matches.objects]
    return ClassMatches(
        image=image[kept],
        rank=matches.rank[kept],
        found=matches.found[:, :, kept],
        counted=matches.counted[:, :, kept],
        objects=tuple(images[images >= 0] for images in objects),
    )


def _check_has_masks(truth: Truth) -> None:
    without = [a["id"] for a in truth.coco.dataset["annotations"] if not a.get("segmentation")]
    if without:
        raise ValueError(
            f"{truth.path}: {len(without)} annotations have no segmentation, first {without[0]}; "
            "masks cannot be evaluated on it, only boxes (iou type 'bbox')"
        )
    if not np.isfinite(truth.image_sizes).all():
        raise ValueError(
            f"{truth.path}: images have no width and height; masks cannot be evaluated on it"
        )
