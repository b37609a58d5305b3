"""COCO's matching of detections to objects, done once by pycocotools and kept compactly."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from tqdm import tqdm

from .annotations import Annotations
from .engines import evaluator_of
from .results import Detections

_IMAGES_AT_ONCE = 100  # bounds the memory of COCOeval, which keeps a dict per image and class


@dataclass(frozen=True)
class ClassMatches:
    """One class: its D detections by falling score, in COCOeval's order, and its objects.

    COCOeval has A = 4 area ranges (all, small, medium, large) and T = 10 IoU thresholds.

    Attributes:
        image: (D,) int32, index of the image.
        rank: (D,) int16, place among the detections of the class in the image, from 0.
        hits: (A, T, D) bool, whether it found an object that counts in the range.
        counted: (A, T, D) bool, whether it counts in the range; it is a false positive if it
            is no hit.
        objects: A int32 arrays, the image index of each object that counts in the range.
    """

    image: np.ndarray
    rank: np.ndarray
    hits: np.ndarray
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


def match(
    annotations: Annotations,
    detections: Detections,
    *,
    engine: str = "pycocotools",
    progress: bool = False,
) -> Matches:
    """Match detections to objects by ``COCOeval.evaluate``.

    Args:
        annotations: The annotations, with their masks where masks are matched.
        detections: What was found, from :func:`..results.read_results` with the same annotations.
        engine: Whose COCOeval, one of :data:`.engines.ENGINES`; all give the same matches.
        progress: Whether to show a bar on stderr.

    Raises:
        ImportError: If the engine is not installed.
        ValueError: If masks are to be matched and those of the annotations were not read, or
            there is no such engine.
    """
    evaluator = evaluator_of(engine)
    if detections.iou_type == "segm" and annotations.objects.masks is None:
        raise ValueError(
            f"{detections.path} holds masks, but those of {annotations.path} were not read: "
            "read_annotations(..., masks=True)"
        )
    num_images = len(annotations.image_ids)
    order = np.argsort(detections.image, kind="stable")
    bounds = np.searchsorted(detections.image[order], np.arange(num_images + 1))
    parts: list[list[_Part]] = [[] for _ in annotations.category_ids]
    starts = range(0, num_images, _IMAGES_AT_ONCE)
    for start in tqdm(starts, desc="matching", disable=not progress):
        stop = min(start + _IMAGES_AT_ONCE, num_images)
        chosen = order[bounds[start] : bounds[stop]]
        evaluated = _match_images(annotations, detections, chosen, start, stop, evaluator)
        for matched, part in zip(parts, evaluated, strict=True):
            matched.extend(part)
    return Matches(num_images, annotations.evaluated_classes, tuple(map(_join, parts)))


@dataclass(frozen=True)
class _Part:
    """Matches of one class in some images, before sorting by score."""

    score: np.ndarray
    matches: ClassMatches


def _match_images(
    annotations: Annotations,
    detections: Detections,
    chosen: np.ndarray,
    start: int,
    stop: int,
    evaluator: type[Any],
) -> list[list[_Part]]:
    """For each class, the matches in the images from ``start`` to ``stop``."""
    evaluation = evaluator(
        _as_coco(annotations, start, stop, _objects(annotations, start, stop)),
        _as_coco(annotations, start, stop, _detections(detections, chosen)),
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


def _objects(annotations: Annotations, start: int, stop: int) -> list[dict[str, Any]]:
    """The objects of some images as COCOeval takes them, images and categories by their index."""
    objects = annotations.objects
    return [
        {
            "id": int(objects.ids[index]),
            "image_id": int(objects.image[index]),
            "category_id": int(objects.category[index]),
            "area": float(objects.area[index]),
            "iscrowd": int(objects.is_crowd[index]),
            "bbox": objects.boxes[index].tolist(),
            "segmentation": objects.masks and objects.masks[index],
        }
        for index in annotations.objects_in(start, stop).tolist()
    ]


def _detections(detections: Detections, chosen: np.ndarray) -> list[dict[str, Any]]:
    """The chosen detections as ``COCO.loadRes`` would make them."""
    shape = "bbox" if detections.iou_type == "bbox" else "segmentation"
    return [
        {
            "id": index + 1,
            "image_id": int(detections.image[index]),
            "category_id": int(detections.category[index]),
            "score": float(detections.score[index]),
            "area": float(detections.area[index]),
            "iscrowd": 0,
            "bbox": (0.0, 0.0, 0.0, 0.0),  # of masks it is asked for, and not used
            shape: detections.shapes[index],
        }
        for index in chosen.tolist()
    ]


def _as_coco(
    annotations: Annotations, start: int, stop: int, entries: list[dict[str, Any]]
) -> COCO:
    # sizes are read for masks alone, and then they are known
    sizes = np.nan_to_num(annotations.image_sizes[start:stop], posinf=0).astype(int).tolist()
    coco = COCO()
    coco.dataset = {
        "images": [
            {"id": image, "width": width, "height": height, "file_name": ""}
            for image, (width, height) in enumerate(sizes, start=start)
        ],
        "categories": [{"id": place, "name": ""} for place in range(len(annotations.category_ids))],
        "annotations": entries,
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
            hits=matched & ~ignored,
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
            hits=np.zeros(shape, bool),
            counted=np.zeros(shape, bool),
            objects=(np.zeros(0, np.int32),) * shape[0],
        )
    order = np.argsort(-np.concatenate([part.score for part in parts]), kind="stable")
    matches = [part.matches for part in parts]
    return ClassMatches(
        image=np.concatenate([m.image for m in matches])[order],
        rank=np.concatenate([m.rank for m in matches])[order],
        hits=np.concatenate([m.hits for m in matches], axis=2)[:, :, order],
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
        hits=matches.hits[:, :, kept],
        counted=matches.counted[:, :, kept],
        objects=tuple(images[images >= 0] for images in objects),
    )
