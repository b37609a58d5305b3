"""How a difference varies, from training to training and from image to image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

import numpy as np
from scipy import optimize, special


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

_LOG_SMALLEST_P = -60.0  # smaller ones do not matter, and their quantiles overflow


def degrees_of_images(num_images: float) -> float:
    """Degrees of freedom of a variance over images.

    Half of those of as many numbers with normal errors: in most images two detectors find the same,
    and a few say most of the difference. So the tails come out right (studies/few_images.py).
    """
    return (num_images - 1) / 2


def critical_value(parts: Parts, confidence: float) -> float:
    """How many standard errors an interval reaches, where the variance is a sum of estimates.

    The mean of Student's critical values of the parts, weighted by the parts (Cochran and Cox,
    Experimental Designs, 1950). With few degrees of freedom it holds where
    the approximation by one t distribution (Satterthwaite) is too narrow: its degrees of freedom
    are estimated too, and large just where the variance came out too small.

    Args:
        parts: Variances, not all 0, and the degrees of freedom of each.
        confidence: Confidence of the interval.
    """
    return _critical_value(parts, 1 - confidence)


def two_sided_p(difference: float, parts: Parts) -> float:
    """The p-value that agrees with :func:`critical_value`: where the interval ends at 0."""
    ratio = abs(difference) / sqrt(sum(part for part, _ in parts))

    def excess(log_p: float) -> float:
        return _critical_value(parts, exp(log_p)) - ratio

    if excess(_LOG_SMALLEST_P) < 0:
        return exp(_LOG_SMALLEST_P)
    return exp(optimize.brentq(excess, _LOG_SMALLEST_P, 0.0))


def _critical_value(parts: Parts, p_value: float) -> float:
    variances, degrees = np.array(parts).T
    return float(np.average(-special.stdtrit(degrees, p_value / 2), weights=variances))
