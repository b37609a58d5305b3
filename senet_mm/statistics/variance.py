"""How a difference varies, from training to training and from image to image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats


@dataclass(frozen=True)
class Sources:
    """Variances of the difference of one training of each side.

    Attributes:
        trainings: Over trainings, on all images that there could be.
        images: Over images, what all trainings have in common.
        both: Over images, what each training has for itself.
    """

    trainings: float
    images: float
    both: float

    def of_images(self, num_trainings: float, factor: float = 1.0) -> float:
        """Variance over images of the mean of some trainings, on ``factor`` times the images."""
        return (self.images + self.both / num_trainings) / factor


@dataclass(frozen=True)
class Trainings:
    """What the interval of a difference over trainings was made from.

    Attributes:
        counts: Trainings of the baseline and of the other detector.
        paired: Whether those of equal seed were paired.
        share: The share of the trainings in the variance of the difference, the rest being the
            images'.
        sources: The variances.
        low: Lower end of the interval over images alone, for these trained weights.
        high: Its upper end.
        p_value: The p-value over images alone.
    """

    counts: tuple[int, int]
    paired: bool
    share: float
    sources: Sources
    low: float
    high: float
    p_value: float


# variances and the degrees of freedom of each
Parts = Sequence[tuple[float, float]]


def critical_value(parts: Parts, confidence: float) -> float:
    """How many standard errors an interval reaches, where the variance is a sum of estimates.

    The mean of Student's critical values of the parts, weighted by the parts (Cochran and Cox,
    Experimental Designs, 2nd edition, section 4.14). With few degrees of freedom it holds where
    the approximation by one t distribution (Satterthwaite) is too narrow: its degrees of freedom
    are estimated too, and large just where the variance came out too small.

    Args:
        parts: Variances, not all 0, and the degrees of freedom of each.
        confidence: Confidence of the interval.
    """
    variances, degrees = np.array(parts).T
    return float(np.average(stats.t.ppf((1 + confidence) / 2, degrees), weights=variances))


def two_sided_p(difference: float, parts: Parts) -> float:
    """The p-value that agrees with :func:`critical_value`: where the interval ends at 0."""
    variances, degrees = np.array(parts).T
    ratio = abs(difference) / np.sqrt(variances.sum())
    if ratio == 0:
        return 1.0

    def excess(log_p: float) -> float:
        critical = stats.t.isf(np.exp(log_p) / 2, degrees)
        return float(np.average(critical, weights=variances)) - ratio

    smallest = -600.0
    if excess(smallest) < 0:
        return float(np.exp(smallest))
    return float(np.exp(optimize.brentq(excess, smallest, 0.0)))
