"""Precision, recall and F1 at one score threshold, as a detector is used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .outcomes import Outcomes
from .thresholds import THRESHOLDS, Kept, kept_at_thresholds

RATES = ("precision", "recall", "F1")


@dataclass(frozen=True, eq=False)
class OperatingPoints:
    """Rates of B weightings of the images by :data:`RATES`.

    Attributes:
        best: (B,) each, at the threshold of the best F1 with every image counted once.
        best_threshold: That threshold.
        given: (B,) each, at a threshold that was asked for.
    """

    best: dict[str, np.ndarray]
    best_threshold: float
    given: dict[str, np.ndarray]


def operating_points(outcomes: Outcomes, weights: np.ndarray, threshold: float) -> OperatingPoints:
    """Rates at two thresholds.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) integers of 0 or more.
        threshold: The score from which on a detection counts, beside the best one.
    """
    once = np.ones((1, outcomes.num_images), dtype=np.int32)
    best = float(THRESHOLDS[best_threshold(kept_at_thresholds(outcomes, once))])
    both = rates(kept_at_thresholds(outcomes, weights, thresholds=np.array([best, threshold])))
    return OperatingPoints(
        best={name: values[:, 0] for name, values in both.items()},
        best_threshold=best,
        given={name: values[:, 1] for name, values in both.items()},
    )


def rates(kept: Kept) -> dict[str, np.ndarray]:
    """Rates of all classes together, at an IoU of 0.5.

    Precision is hits / detections, recall hits / objects, F1 = 2 hits / (detections + objects);
    crowds, and what lies in them, are left out.

    Returns:
        (B, T) by name, as :data:`RATES`; NaN where there is nothing to divide by.
    """
    detections = kept.hits + kept.false
    objects = kept.objects[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (
            kept.hits / detections,
            kept.hits / objects,
            2 * kept.hits / (detections + objects),
        )
    return dict(zip(RATES, values, strict=True))


def best_threshold(kept: Kept) -> int:
    """Index of the threshold with the best F1 on the first row; the highest of equal ones."""
    scores = np.nan_to_num(rates(kept)["F1"][0])
    return len(scores) - 1 - int(scores[::-1].argmax())
