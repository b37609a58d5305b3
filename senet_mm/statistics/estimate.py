"""A number with its uncertainty, from resamples of the images.

Intervals as in Efron and Tibshirani, An Introduction to the Bootstrap: of a difference the
percentile interval (chapter 13); of a detector's own metric the bias-corrected one (section 14.3
with an acceleration of 0), as AP is biased upward in resamples, where images repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .variance import Trainings

# A number that rests on fewer images has no interval: between equal detectors, 8 to 80 % of such
# intervals would leave 0 out instead of 5 % (studies/few_images.py)
MIN_IMAGES = 20

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty; None where it is undefined (no class has such an object).

    Attributes:
        value: The number on the data set itself.
        low: Lower end of the interval.
        high: Its upper end.
        standard_error: Standard deviation over the resamples; of a difference over trainings, of
            both sources.
        num_undefined: Number of resamples left out, as the number is undefined in them.
        p_value: Of a difference only: two-sided, twice the share of resamples on the side of 0
            where fewer are, each side counting the zeros and one resample more, at most 1. It is
            never 0, and 1 for two equal results. Of a difference over trainings, see
            ``senet_mm.statistics.trainings.difference_over_trainings``.
        num_images: Number of images that the number rests on: those with an object that counts.
            Below ``MIN_IMAGES`` there is no interval, no standard error and no p-value.
        adjusted_p_value: Of a class' difference only: the p-value among those of all classes.
        trainings: Of a difference over trainings only: what its interval was made from. Without
            it, the interval is about other images alone.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    num_undefined: int = 0
    p_value: float | None = None
    num_images: int | None = None
    adjusted_p_value: float | None = None
    trainings: Trainings | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval; None where it is undefined."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def leaves_zero_out(self) -> bool:
        """Whether there is an interval, and 0 is not in it."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def estimate(
    values: np.ndarray, *, confidence: float, num_images: int, is_difference: bool = False
) -> Estimate:
    """The estimate of a number from resamples of the images.

    Args:
        values: (1 + B,) the number on the data set itself and in B resamples, NaN where it is
            undefined.
        confidence: Confidence of the interval, 0.95 for 95 %.
        num_images: Number of images that it rests on.
        is_difference: Whether it is a difference, with a percentile interval and a p-value; else
            the interval is bias-corrected.
    """
    value, samples = values[0], values[1:]
    defined = samples[~np.isnan(samples)]
    num_undefined = len(samples) - len(defined)
    if np.isnan(value) or len(defined) < 2 or num_images < MIN_IMAGES:
        number = None if np.isnan(value) else float(value)
        return Estimate(number, num_undefined=num_undefined, num_images=num_images)
    shift, p_value = 0.0, None
    if is_difference:
        fewer = min(np.count_nonzero(defined <= 0), np.count_nonzero(defined >= 0))
        p_value = min(1.0, 2 * (fewer + 1) / (len(defined) + 1))
    else:
        shift = 2 * _bias(value, defined)
    reach = _NORMAL.inv_cdf((1 + confidence) / 2)
    low, high = np.quantile(defined, [_NORMAL.cdf(shift - reach), _NORMAL.cdf(shift + reach)])
    return Estimate(
        value=float(value),
        low=float(low),
        high=float(high),
        standard_error=float(defined.std(ddof=1)),
        num_undefined=num_undefined,
        p_value=p_value,
        num_images=num_images,
    )


def _bias(value: float, samples: np.ndarray) -> float:
    """z0, the normal quantile of the share of resamples below the value, ties counted half."""
    below = np.count_nonzero(samples < value) + np.count_nonzero(samples == value) / 2
    # none or all of them would be infinitely far
    return _NORMAL.inv_cdf(min(max(below, 0.5), len(samples) - 0.5) / len(samples))
