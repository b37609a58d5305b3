"""What each type of error costs in AP50, after TIDE.

Bolya et al., TIDE: A General Toolbox for Identifying Object Detection Errors, arXiv 2008.08115:
dAP of a type is the AP50 with all its errors mended, minus AP50 (equation 2). It says what can be
gained by mending this type alone; the dAP of several types do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .accumulate import blocks, cumulate, mean_of_classes
from .assignment import ERRORS, MISSED
from .interpolation import envelope, recalls_read
from .outcomes import SIZES, Outcomes

SPECIAL_ERRORS = ("false positives", "false negatives")
ALL_ERRORS = (*ERRORS, *SPECIAL_ERRORS)
# k / 100 as tidecv has it; COCO's are a rounding apart, which decides where a recall is one of them
_RECALLS = np.arange(101) / 100


@dataclass(frozen=True, eq=False)
class MendedPrecision:
    """AP50 of B weightings of the images and K classes; NaN where a class has no object.

    Attributes:
        precision: (B, K) as it is.
        mended: (B, K, 8) with the errors of a type mended, as :data:`ALL_ERRORS`: false positives
            all scored below the hits, false negatives taken from the objects.
        by_size: (B, K, 3, 6) with the errors of a type mended on objects (or, where there is
            none, of detections) of a size.
    """

    precision: np.ndarray
    mended: np.ndarray
    by_size: np.ndarray

    def effects(self) -> dict[str, np.ndarray]:
        """(B,) dAP over all classes by :data:`ALL_ERRORS`, of :data:`ERRORS` never below 0."""
        effects = mean_of_classes(self.mended) - mean_of_classes(self.precision)[:, None]
        effects[:, : len(ERRORS)] = np.maximum(effects[:, : len(ERRORS)], 0)
        return dict(zip(ALL_ERRORS, effects.T, strict=True))

    def effects_by_size(self, size: int) -> dict[str, np.ndarray]:
        """(B,) dAP over all classes of errors of a size by :data:`ERRORS`, never below 0."""
        before = mean_of_classes(self.precision)[:, None]
        effects = np.maximum(mean_of_classes(self.by_size[:, :, size]) - before, 0)
        return dict(zip(ERRORS, effects.T, strict=True))

    def effects_on_class(self, index: int) -> dict[str, np.ndarray]:
        """(B,) dAP of one class by :data:`ALL_ERRORS`; below 0 where another class gains."""
        effects = self.mended[:, index] - self.precision[:, index, None]
        return dict(zip(ALL_ERRORS, effects.T, strict=True))


def mend(outcomes: Outcomes, weights: np.ndarray) -> MendedPrecision:
    """AP50 with each image counted as often as its weight says, and with errors mended.

    A mended error is removed, and of those at an object that none found, the best one becomes a
    hit, in the object's class for a classification error. Mended misses are taken from the
    objects. With every image counted once the differences are tidecv's, but where detections of
    several images have the very same score, which it reorders as it mends, and where a class has
    detections and no object, which it counts with an AP of 0.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) integers of 0 or more.
    """
    weights = np.ascontiguousarray(weights, dtype=np.int32)
    order = np.argsort(-outcomes.score, kind="stable")
    shape = (len(weights), outcomes.num_classes)
    precision = np.full(shape, np.nan)
    mended = np.full((*shape, len(ALL_ERRORS)), np.nan)
    by_size = np.full((*shape, len(SIZES), len(ERRORS)), np.nan)
    for index in range(outcomes.num_classes):
        one = _ClassPoints.of(outcomes, order, index)
        for block in blocks(weights, len(one.image)):
            values = precision[block, index], mended[block, index], by_size[block, index]
            _mend_class(one, weights[block], *values)
    return MendedPrecision(precision, mended, by_size)


@dataclass(frozen=True, eq=False)
class _ClassPoints:
    """Detections that are of a class, or would be with their error mended, by falling score.

    ``is_hit``, ``is_false`` and ``becomes_hit`` say what they are in this class.
    """

    image: np.ndarray
    error: np.ndarray
    size: np.ndarray
    is_hit: np.ndarray
    is_false: np.ndarray
    becomes_hit: np.ndarray
    objects: np.ndarray  # image of each
    missed: np.ndarray  # image of each
    missed_size: np.ndarray

    @classmethod
    def of(cls, outcomes: Outcomes, order: np.ndarray, index: int) -> _ClassPoints:
        own, becomes_hit = outcomes.category == index, outcomes.fixed_class == index
        rows = order[(own | becomes_hit)[order]]
        is_hit = outcomes.hits[rows] & own[rows]
        objects = outcomes.object_category == index
        missed = objects & outcomes.is_missed
        return cls(
            image=outcomes.image[rows],
            error=outcomes.error[rows],
            size=outcomes.error_size[rows],
            is_hit=is_hit,
            is_false=own[rows] & outcomes.counts[rows] & ~is_hit,
            becomes_hit=becomes_hit[rows],
            objects=outcomes.object_image[objects],
            missed=outcomes.object_image[missed],
            missed_size=outcomes.object_size[missed],
        )


def _mend_class(
    one: _ClassPoints,
    weights: np.ndarray,
    precision: np.ndarray,
    mended: np.ndarray,
    by_size: np.ndarray,
) -> None:
    """Fill (B,), (B, 8) and (B, 3, 6) for one class."""
    objects = weights[:, one.objects].sum(axis=1)
    defined = objects > 0
    if not defined.any():
        return
    curves = _Curves(one, weights)
    precision[:] = np.where(defined, curves.unmended(objects), np.nan)
    mended[:] = precision[:, None]
    by_size[:] = precision[:, None, None]
    for error in range(MISSED):
        chosen = one.error == error
        if chosen.any():
            mended[:, error] = curves.mended(chosen, objects, defined)
            for size in range(len(SIZES)):
                some = chosen & (one.size == size)
                if some.any():
                    by_size[:, size, error] = curves.mended(some, objects, defined)

    def without(missed: np.ndarray) -> np.ndarray:
        left = objects - weights[:, missed].sum(axis=1)
        value = curves.unmended(left)
        # where no object is left: nothing to say, or false positives alone
        return np.where(defined & ((left > 0) | curves.any_false), value, np.nan)

    mended[:, MISSED] = without(one.missed)
    for size in range(len(SIZES)):
        by_size[:, size, MISSED] = without(one.missed[one.missed_size == size])
    hits = weights[:, one.image[one.is_hit]].sum(axis=1)
    reached = np.searchsorted(_RECALLS, hits / np.maximum(objects, 1), side="right")
    of_hits = curves.unmended(hits)
    without_negatives = np.where((hits > 0) | curves.any_false, of_hits, np.nan)
    reached = np.where(hits > 0, reached, 0)
    mended[:, -2] = np.where(defined, reached / len(_RECALLS), np.nan)
    mended[:, -1] = np.where(defined, without_negatives, np.nan)


class _Curves:
    """AP of one class under B weightings, with some of its detections taken otherwise."""

    def __init__(self, one: _ClassPoints, weights: np.ndarray) -> None:
        self._one, self._weights = one, weights
        ends = np.flatnonzero(one.is_hit | one.becomes_hit)
        # false positives after the last point that may be a hit change nothing
        self._false = np.flatnonzero(one.is_false[: ends[-1] + 1]) if ends.size else ends
        self._sums = cumulate(weights, one.image[self._false])
        nothing = np.zeros(len(one.image), dtype=bool)
        self._own = self._points(nothing, nothing)
        self.any_false = weights[:, one.image[one.is_false]].any(axis=1)

    def mended(self, errors: np.ndarray, objects: np.ndarray, defined: np.ndarray) -> np.ndarray:
        """(B,) AP without the false positives among the errors, and with the hits they become."""
        points = self._points(errors & self._one.is_false, errors & self._one.becomes_hit)
        return np.where(defined, _average(*points, objects), np.nan)

    def unmended(self, objects: np.ndarray) -> np.ndarray:
        """(B,) AP as it is, of so many objects; 0 where there is none."""
        return _average(*self._own, objects)

    def _points(self, removed: np.ndarray, added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(B, N) hits so far and precision at each hit, with points removed or added as hits."""
        one, weights = self._one, self._weights
        hits = np.flatnonzero(one.is_hit | added)
        if not hits.size:
            return (np.zeros((len(weights), 0)),) * 2
        found = np.cumsum(weights.take(one.image[hits], axis=1), axis=1, dtype=np.int32)
        counted = found + self._sums.take(np.searchsorted(self._false, hits), axis=1)
        gone = np.flatnonzero(removed[: hits[-1]])
        if gone.size:
            sums = cumulate(weights, one.image[gone])
            counted -= sums.take(np.searchsorted(gone, hits), axis=1)
        return found, envelope(found, counted)


def _average(found: np.ndarray, precisions: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """(B,) mean of the precision over the recalls."""
    steps = recalls_read(found, np.maximum(objects, 1)[:, None], _RECALLS)
    return np.einsum("bn,bn->b", precisions, steps) / len(_RECALLS)
