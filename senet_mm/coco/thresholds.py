"""What is left of the detections at each score threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .assignment import FOREGROUND
from .outcomes import Outcomes

THRESHOLDS = np.arange(101) / 100  # a detection is kept where its score is as high or higher


@dataclass(frozen=True, eq=False)
class Kept:
    """What B weightings of the images keep at each of T thresholds, at an IoU of 0.5.

    Attributes:
        hits: (B, T) detections that found an object.
        false: (B, T) false positives.
        distance: (B, T) sum of (1 - IoU) / 0.5 over the hits.
        objects: (B,) objects.
    """

    hits: np.ndarray
    false: np.ndarray
    distance: np.ndarray
    objects: np.ndarray

    @property
    def missed(self) -> np.ndarray:
        """(B, T) objects that were not found."""
        return self.objects[:, None] - self.hits


def kept_at_thresholds(
    outcomes: Outcomes,
    weights: np.ndarray,
    *,
    category: int | None = None,
    thresholds: np.ndarray = THRESHOLDS,
) -> Kept:
    """Count hits, false positives and objects.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) integers of 0 or more, how often each image counts.
        category: The class; by default all of them together.
        thresholds: (T,) scores.
    """
    weights = np.ascontiguousarray(weights, dtype=np.int32)
    own = np.ones(len(outcomes.score), dtype=bool)
    objects = outcomes.object_image
    if category is not None:
        own = outcomes.category == category
        objects = objects[outcomes.object_category == category]
    hits, false = own & outcomes.hits, own & outcomes.counts & ~outcomes.hits
    distances = (1 - outcomes.iou) / (1 - FOREGROUND)
    return Kept(
        hits=sums_at_thresholds(outcomes, weights, hits, thresholds),
        false=sums_at_thresholds(outcomes, weights, false, thresholds),
        distance=sums_at_thresholds(outcomes, weights, hits, thresholds, distances),
        objects=weights[:, objects].sum(axis=1),
    )


def sums_at_thresholds(
    outcomes: Outcomes,
    weights: np.ndarray,
    chosen: np.ndarray,
    thresholds: np.ndarray,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """Sum over the detections whose score is a threshold or higher.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) int32, how often each image counts.
        chosen: (D,) which detections are meant.
        thresholds: (T,) scores.
        values: (D,) what is summed; by default they are counted.

    Returns:
        (B, T) sums.
    """
    rising = np.sort(thresholds)
    rows = np.flatnonzero(chosen)
    highest = np.searchsorted(rising, outcomes.score[rows], side="right") - 1
    rows, highest = rows[highest >= 0], highest[highest >= 0]
    # sums by threshold and image first: there are far fewer of these than detections
    images, columns = np.unique(outcomes.image[rows], return_inverse=True)
    by_image = sparse.csr_array(
        (
            np.ones(len(rows), dtype=np.int32) if values is None else values[rows],
            (highest, columns),
        ),
        shape=(len(rising), len(images)),
    )
    sums = by_image @ np.ascontiguousarray(weights.take(images, axis=1).T)
    reached = np.cumsum(sums[::-1], axis=0, dtype=sums.dtype)[::-1]
    return reached[np.searchsorted(rising, thresholds)].T
