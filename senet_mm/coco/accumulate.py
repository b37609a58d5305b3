"""COCO's 12 numbers from matches, for many weightings of the images at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pycocotools.cocoeval import Params

from .interpolation import RECALLS, interpolate
from .matches import ClassMatches, Matches

_PARAMS = Params("bbox")
IOU_THRESHOLDS = _PARAMS.iouThrs  # (T,)
_AREAS, _THRESHOLDS = len(_PARAMS.areaRng), len(IOU_THRESHOLDS)
# index of the area by the first letter of its label: all, small, medium, large
AREA = {label[0]: index for index, label in enumerate(_PARAMS.areaRngLbl)}
_AT_50, _AT_75 = (int(np.flatnonzero(value == IOU_THRESHOLDS)[0]) for value in (0.5, 0.75))
_BLOCK = 2_000_000  # detections x weightings that are worked on at once

# COCOeval.stats, in its order
ALL_METRICS = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl"),
    *("AR1", "AR10", "AR", "ARs", "ARm", "ARl"),
)


@dataclass(frozen=True)
class Accumulated:
    """Precision and recall of B weightings for K classes, A areas and T IoU thresholds.

    NaN where a class has no object of the area, the place of COCOeval's -1.

    Attributes:
        precision: (B, K, A, T) mean precision over the 101 recalls.
        recall: (B, K, A, T) recall at 100 detections per image and class.
        recall_of_few: (B, K, 2, T) recall at 1 and at 10, of objects of all areas.
    """

    precision: np.ndarray
    recall: np.ndarray
    recall_of_few: np.ndarray

    def metrics(self) -> np.ndarray:
        """(B, 12) numbers, as :data:`ALL_METRICS`; NaN where no class has an object."""
        columns = [
            self.precision[:, :, 0],
            self.precision[:, :, 0, _AT_50],
            self.precision[:, :, 0, _AT_75],
            *(self.precision[:, :, AREA[size]] for size in "sml"),
            self.recall_of_few[:, :, 0],
            self.recall_of_few[:, :, 1],
            self.recall[:, :, 0],
            *(self.recall[:, :, AREA[size]] for size in "sml"),
        ]
        # a class is defined at all thresholds or at none
        flat = [column.reshape(len(column), -1) for column in columns]
        return np.stack([mean_of_classes(column) for column in flat], axis=1)

    def class_precision(self) -> np.ndarray:
        """(B, K) AP of each class; NaN where it has no object."""
        return self.precision[:, :, 0].mean(axis=2)


def accumulate(matches: Matches, weights: np.ndarray) -> Accumulated:
    """Evaluate with each image counted as often as its weight says.

    Equals ``COCOeval.accumulate`` on a data set in which each image stands as many times, the
    copies beside each other. (Where two detections of one class in one image have the very same
    score, COCOeval takes the copies of the image in turns, and this the copies of the detection;
    with weights of 0 and 1 there is no difference.)

    Args:
        matches: The matches of one results file, on I images.
        weights: (B, I) integers of 0 or more.

    Raises:
        ValueError: If the weights are not of this shape, or not whole numbers of 0 or more.
    """
    counts = weights.dtype.kind in "iu" and (weights >= 0).all()
    if not counts or weights.ndim != 2 or weights.shape[1] != matches.num_images:
        raise ValueError(
            f"weights are {weights.dtype} of shape {weights.shape}; expected integers of 0 or "
            f"more, a row of {matches.num_images}, one per image"
        )
    weights = np.ascontiguousarray(weights, dtype=np.int32)
    per_class = [accumulate_class(one, weights) for one in matches.by_class]
    return stack_classes(per_class)


def class_precision(matches: Matches, weights: np.ndarray) -> np.ndarray:
    """AP of each class with each image counted as often as its weight says.

    Args:
        matches: The matches of one results file, on I images.
        weights: (B, I) integers of 0 or more.

    Returns:
        (B, K), as :meth:`Accumulated.class_precision`.
    """
    weights = np.ascontiguousarray(weights, dtype=np.int32)
    values = np.full((len(weights), len(matches.by_class)), np.nan)
    for index, one in enumerate(matches.by_class):
        for block in blocks(weights, len(one.image)):
            precision = np.full((len(weights[block]), 1, _THRESHOLDS), np.nan)
            _accumulate_area(one, 0, weights[block], precision, precision.copy())
            values[block, index] = precision[:, 0].mean(axis=1)
    return values


def blocks(weights: np.ndarray, num_detections: int) -> Iterator[slice]:
    """Rows of the weights that are worked on at once, so that memory stays bounded."""
    step = max(1, _BLOCK // max(1, num_detections))
    for start in range(0, len(weights), step):
        yield slice(start, start + step)


def stack_classes(per_class: list[Accumulated]) -> Accumulated:
    """Joins what :func:`accumulate_class` gives."""
    return Accumulated(
        *(
            np.concatenate([getattr(one, name) for one in per_class], axis=1)
            for name in ("precision", "recall", "recall_of_few")
        )
    )


def accumulate_class(matches: ClassMatches, weights: np.ndarray) -> Accumulated:
    """:func:`accumulate` for one class; ``weights`` are (B, I) int32."""
    total = len(weights)
    precision = np.full((total, 1, _AREAS, _THRESHOLDS), np.nan)
    recall, few = precision.copy(), np.full((total, 1, 2, _THRESHOLDS), np.nan)
    for block in blocks(weights, len(matches.image)):
        for area in range(_AREAS):
            _accumulate_area(matches, area, weights[block], precision[block, 0], recall[block, 0])
        few[block, 0] = _recall_of_few(matches, weights[block])
    return Accumulated(precision, recall, few)


def _accumulate_area(
    matches: ClassMatches,
    area: int,
    weights: np.ndarray,
    precision: np.ndarray,
    recall: np.ndarray,
) -> None:
    """Fills (B, A, T) ``precision`` and ``recall`` of an area where it has objects."""
    objects = weights[:, matches.objects[area]].sum(axis=1)
    defined = objects > 0
    if not defined.any():
        return
    objects = np.maximum(objects, 1)[:, None]
    for threshold, (found, counted) in enumerate(_curves(matches, area, weights)):
        if found.shape[1]:
            precisions, steps = interpolate(found, counted, objects)
            mean = np.einsum("bn,bn->b", precisions, steps) / len(RECALLS)
            reached = found[:, -1] / objects[:, 0]
        else:
            mean = reached = np.zeros(len(weights))
        precision[:, area, threshold] = np.where(defined, mean, np.nan)
        recall[:, area, threshold] = np.where(defined, reached, np.nan)


def _curves(
    matches: ClassMatches, area: int, weights: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each IoU threshold: (B, N) weights of found and of counted detections up to each hit.

    A hit is a detection that found an object. Only hits can be points of the interpolated curve:
    false positives lower the precision until the next one.
    """
    hits_of = [np.flatnonzero(found) for found in matches.hits[area]]
    end = 1 + max((int(hits[-1]) for hits in hits_of if hits.size), default=-1)
    counted = matches.counted[area, :, :end]
    # most detections count at every threshold, so their sums are shared
    always = counted.all(axis=0)
    shared = cumulate(weights, matches.image[:end][always])
    places = np.cumsum(always)
    for hits, counts in zip(hits_of, counted, strict=True):
        others = np.flatnonzero(counts & ~always)
        sums = shared.take(places[hits], axis=1)
        if others.size:
            own = cumulate(weights, matches.image[others])
            sums += own.take(np.searchsorted(others, hits, side="right"), axis=1)
        yield np.cumsum(weights.take(matches.image[hits], axis=1), axis=1, dtype=np.int32), sums


def cumulate(
    weights: np.ndarray, images: np.ndarray, values: np.ndarray | None = None
) -> np.ndarray:
    """(B, N + 1) sums of the weights of the first 0 to N of the images, times values if given."""
    taken = weights.take(images, axis=1)
    if values is not None:
        taken = taken * values
    sums = np.zeros((len(weights), len(images) + 1), dtype=taken.dtype)
    np.cumsum(taken, axis=1, dtype=taken.dtype, out=sums[:, 1:])
    return sums


def _recall_of_few(matches: ClassMatches, weights: np.ndarray) -> np.ndarray:
    """(B, 2, T) recall of the 1 and 10 best detections of each image."""
    objects = weights[:, matches.objects[0]].sum(axis=1)
    recall = np.empty((len(weights), 2, _THRESHOLDS))
    for index, limit in enumerate(_PARAMS.maxDets[:2]):
        for threshold, found in enumerate(matches.hits[0] & (matches.rank < limit)):
            recall[:, index, threshold] = weights[:, matches.image[found]].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(objects > 0, recall.T / objects, np.nan).T


def precision_curves(matches: Matches) -> dict[str, np.ndarray]:
    """Mean precision over the classes at the 101 recalls 0, 0.01, ..., 1, for plots.

    Returns:
        (101,) arrays by IoU threshold: '0.50', '0.75' and '0.50:0.95', the mean over all ten.
        All NaN where there is no object.
    """
    weights = np.ones((1, matches.num_images), dtype=np.int32)
    curves = []
    for one in matches.by_class:
        if not len(one.objects[0]):
            continue
        curve = np.zeros((_THRESHOLDS, len(RECALLS)))
        objects = np.array([[len(one.objects[0])]])
        for row, (found, counted) in zip(curve, _curves(one, 0, weights), strict=True):
            precisions, steps = interpolate(found, counted, objects)
            values = np.repeat(precisions[0], steps[0])
            row[: len(values)] = values
        curves.append(curve)
    if not curves:
        return {key: np.full(len(RECALLS), np.nan) for key in ("0.50", "0.75", "0.50:0.95")}
    mean = np.mean(curves, axis=0)
    return {"0.50": mean[_AT_50], "0.75": mean[_AT_75], "0.50:0.95": mean.mean(axis=0)}


def mean_of_classes(values: np.ndarray) -> np.ndarray:
    """(B, ...) mean over the second axis, the classes that are defined; NaN where none is."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    sums = np.where(defined, values, 0).sum(axis=1)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)
