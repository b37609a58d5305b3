"""Does a score say how likely a detection is right?

Detection expected calibration error, by score alone (Kueppers et al., Multivariate Confidence
Calibration for Object Detection, arXiv 2004.13546, equation 8):

    D-ECE = sum over bins of n / N |precision - mean score|

of N detections in 10 bins of equal width, n in each; a detection is right where it found an object
of its class with an IoU of 0.5 or more. Detections below a score of 0.05 are left out: most
detectors drop them, and others would be judged by how many they keep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .outcomes import Outcomes
from .thresholds import sums_at_thresholds

MIN_SCORE = 0.05
EDGES = np.arange(11) / 10
_LOWER = np.maximum(EDGES[:-1], MIN_SCORE)


@dataclass(frozen=True, eq=False)
class Reliability:
    """Detections by score, of B weightings of the images and M = 10 bins; NaN in empty bins.

    Attributes:
        count: (B, M) detections.
        precision: (B, M) share of them that found an object.
        mean_score: (B, M) mean of their scores.
    """

    count: np.ndarray
    precision: np.ndarray
    mean_score: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """(B,) D-ECE; NaN without detections."""
        gap = np.nan_to_num(np.abs(self.precision - self.mean_score))
        total = self.count.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return (self.count * gap).sum(axis=1) / total

    def curve(self) -> dict[str, list[float]]:
        """The three fields on the first row."""
        return {
            name: getattr(self, name)[0].tolist() for name in ("count", "precision", "mean_score")
        }


def reliability(outcomes: Outcomes, weights: np.ndarray) -> Reliability:
    """Compare scores with what came true, all classes together.

    Args:
        outcomes: Of one results file, on I images.
        weights: (B, I) integers of 0 or more.
    """
    weights = np.ascontiguousarray(weights, dtype=np.int32)
    count = _by_bin(outcomes, weights, outcomes.counts)
    hits = _by_bin(outcomes, weights, outcomes.hits)
    scores = _by_bin(outcomes, weights, outcomes.counts, outcomes.score)
    with np.errstate(invalid="ignore"):
        return Reliability(count, hits / count, scores / count)


def _by_bin(
    outcomes: Outcomes,
    weights: np.ndarray,
    chosen: np.ndarray,
    values: np.ndarray | None = None,
) -> np.ndarray:
    """(B, M) sums; a score at an edge belongs to the bin above it."""
    sums = sums_at_thresholds(outcomes, weights, chosen, _LOWER, values)
    return sums - np.concatenate([sums[:, 1:], np.zeros_like(sums[:, :1])], axis=1)
