"""Would a difference hold for other trainings, and for other images?

Train both detectors S times and evaluate all of them on the same images. The mean difference varies
for two reasons: other seeds would have given other weights, and other images other numbers. The
spread over the trainings holds the first, and of the second only what each training has for itself;
the bootstrap over images of the mean holds all of the second. So

    variance = spread / S + (variance over images of the mean - own noise / S)

where the own noise is the variance over the resamples of one training around the mean of all: it
is in both of the others, and counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from .estimate import Estimate, estimate
from .variance import (
    Parts,
    Sources,
    Trainings,
    critical_value,
    degrees_of_images,
    two_sided_p,
)

# Pairing takes half of the degrees of freedom, which with fewer trainings costs more than it gives
MIN_PAIRED = 5


def difference_over_trainings(
    baseline: np.ndarray,
    other: np.ndarray,
    *,
    confidence: float,
    num_images: int,
    seeds: tuple[Sequence[int | None], Sequence[int | None]] | None = None,
) -> Estimate:
    """The difference of two means over trainings, on the same images.

    With one training on a side it is of other images alone, see :func:`.estimate.estimate`.

    Else its interval is about other trainings and other images: the difference plus and minus
    :func:`.variance.critical_value` standard errors, and never narrower than the images alone make
    it. Trainings are paired where both sides have the same seeds, :data:`MIN_PAIRED` or more.
    Unpaired ones of equal number share one spread, as in Student's test for two samples (those of
    equal seeds are taken to be no more unlike than others); of unequal numbers each has its own.

    Args:
        baseline: (S, 1 + B) a number for each training of the baseline, on the data set itself and
            in B resamples of the images; NaN where it is undefined.
        other: (S', 1 + B) the same of the other detector, in the same resamples.
        confidence: Confidence of the interval.
        num_images: Number of images that the number rests on.
        seeds: Seeds of the trainings of both, as far as they are known.
    """
    mean = other.mean(axis=0) - baseline.mean(axis=0)
    over_images = estimate(mean, confidence=confidence, num_images=num_images, is_difference=True)
    value, (low, high) = over_images.value, over_images.interval or (None, None)
    counts = (len(baseline), len(other))
    if min(counts) < 2 or value is None or low is None or high is None:
        return over_images
    order = None if seeds is None else match_seeds(*seeds)
    groups = [baseline, other] if order is None else [other[order] - baseline]
    spreads = [float(group[:, 0].var(ddof=1)) for group in groups]
    noises = [_own_noise(group[:, 1:]) for group in groups]
    of_images = float(np.nanvar(mean[1:], ddof=1))
    shares = [noise / len(group) for noise, group in zip(noises, groups, strict=True)]
    degrees = degrees_of_images(num_images)
    common = max(of_images - sum(shares), 0.0)
    parts = [(common, degrees), *_of_trainings(spreads, [len(group) for group in groups])]
    images_alone = [(of_images, degrees)]
    reach = max(_reach(parts, confidence), _reach(images_alone, confidence))
    variance = max(sum(part for part, _ in parts), of_images)
    p_value = over_images.p_value or 1.0
    return Estimate(
        value=value,
        low=value - reach,
        high=value + reach,
        standard_error=sqrt(variance),
        num_undefined=over_images.num_undefined,
        p_value=max(_p(value, parts), _p(value, images_alone)) if variance else p_value,
        num_images=num_images,
        trainings=Trainings(
            counts=counts,
            paired=order is not None,
            share=1 - of_images / variance if variance else 0.0,
            sources=Sources(max(sum(spreads) - sum(noises), 0.0), common, sum(noises)),
            low=low,
            high=high,
            p_value=p_value,
        ),
    )


def match_seeds(baseline: Sequence[int | None], other: Sequence[int | None]) -> list[int] | None:
    """For each training of the baseline, the index of the other's of the same seed.

    Returns:
        None where a seed is not known, stands twice or on one side alone, or there are fewer than
        :data:`MIN_PAIRED`.
    """
    known = set(baseline) - {None}
    if not len(known) == len(baseline) == len(other) >= MIN_PAIRED or known != set(other):
        return None
    return [list(other).index(seed) for seed in baseline]


def _own_noise(samples: np.ndarray) -> float:
    """Variance over the resamples of one of (S, B) numbers, without what all S have in common."""
    centered = samples - np.nanmean(samples, axis=1, keepdims=True)
    return float(np.nanmean(centered.var(axis=0, ddof=1)))


def _of_trainings(spreads: Sequence[float], counts: Sequence[int]) -> Parts:
    """Variances of means over trainings, each with its degrees of freedom."""
    if len(set(counts)) == 1:
        return [(sum(spreads) / counts[0], len(counts) * (counts[0] - 1))]
    return [(spread / count, count - 1) for spread, count in zip(spreads, counts, strict=True)]


def _reach(parts: Parts, confidence: float) -> float:
    variance = sum(part for part, _ in parts)
    return critical_value(parts, confidence) * sqrt(variance) if variance else 0.0


def _p(difference: float, parts: Parts) -> float:
    return two_sided_p(difference, parts) if any(part for part, _ in parts) else 0.0
