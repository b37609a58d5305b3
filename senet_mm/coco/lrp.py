"""Optimal localization recall precision error (oLRP) and its parts.

Oksuz et al., One Metric to Measure Them All: Localisation Recall Precision (LRP) for Evaluating
Visual Detection Tasks, arXiv 2011.10772. Of a class at a score threshold, with an IoU of 0.5,

    LRP = (sum over hits of (1 - IoU) / 0.5 + false positives + missed) / (hits + false positives
    + missed)

(equation 3); oLRP is the least over the thresholds 0, 0.01, ..., 1. Lower is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .accumulate import mean_of_classes
from .outcomes import Outcomes
from .thresholds import THRESHOLDS, Kept, kept_at_thresholds

PARTS = ("oLRP", "localization", "false positives", "false negatives")


@dataclass(frozen=True, eq=False)
class OptimalLRP:
    """oLRP of B weightings of the images and K classes; NaN where a class has no object.

    Attributes:
        error: (B, K) oLRP; 1 where nothing is found at any threshold.
        localization: (B, K) mean of (1 - IoU) / 0.5 over the hits at the best threshold; NaN
            where there is none.
        false_positives: (B, K) share of false positives among the detections there. Where nothing
            is found at any, the highest counts: 0 if it keeps none of the detections, else NaN.
        false_negatives: (B, K) share of the objects that are missed there.
        threshold: (B, K) the best threshold; NaN where nothing is found at any.
    """

    error: np.ndarray
    localization: np.ndarray
    false_positives: np.ndarray
    false_negatives: np.ndarray
    threshold: np.ndarray

    def means(self) -> dict[str, np.ndarray]:
        """(B,) means over the classes by :data:`PARTS`."""
        parts = (self.error, self.localization, self.false_positives, self.false_negatives)
        return dict(zip(PARTS, map(mean_of_classes, parts), strict=True))


def optimal_lrp(outcomes: Outcomes, weights: np.ndarray) -> OptimalLRP:
    """oLRP with each image counted as often as its weight says.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) integers of 0 or more.
    """
    classes = [
        _class_lrp(kept_at_thresholds(outcomes, weights, category=index))
        for index in range(outcomes.num_classes)
    ]
    return OptimalLRP(*np.stack(classes, axis=-1))


def _class_lrp(kept: Kept) -> np.ndarray:
    """(5, B) error, its parts and the threshold of one class."""
    rows = np.arange(len(kept.objects))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = (kept.distance + kept.false + kept.missed) / (kept.false + kept.objects[:, None])
        # the highest of equally good thresholds
        best = len(THRESHOLDS) - 1 - error[:, ::-1].argmin(axis=1)
        hits, false = kept.hits[rows, best], kept.false[rows, best]
        of_nothing = np.where((kept.false[:, 0] > 0) & (false == 0), 0, np.nan)
        values = np.stack(
            [
                error[rows, best],
                kept.distance[rows, best] / hits,
                np.where(hits > 0, false / (hits + false), of_nothing),
                kept.missed[rows, best] / kept.objects,
                np.where(hits > 0, THRESHOLDS[best], np.nan),
            ]
        )
    return np.where(kept.objects > 0, values, np.nan)
