"""Numbers of detectors on the same resamples, and their differences to the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .bootstrap import Estimate, _estimate

# a number that rests on fewer images gets no interval: its resamples say too little
_MIN_IMAGES = 20


@dataclass(frozen=True)
class Paired:
    """Numbers by name of R detectors, the baseline first.

    Attributes:
        detectors: For each detector, the mean of its runs.
        differences: For each detector but the baseline, its numbers minus the baseline's.
    """

    detectors: tuple[dict[str, Estimate], ...]
    differences: tuple[dict[str, Estimate], ...]


def pair(
    samples: Sequence[Sequence[Mapping[str, np.ndarray]]],
    *,
    num_images: int | Mapping[str, int],
    confidence: float,
) -> Paired:
    """Estimate numbers and their differences.

    Args:
        samples: For each detector and each of its runs (1 + B,) values by name: on the data set
            itself, and in the same B resamples for every run.
        num_images: Number of images that the numbers, or each of them, rest on.
        confidence: Confidence of the intervals.
    """
    names = list(samples[0][0])
    resting = dict.fromkeys(names, num_images) if isinstance(num_images, int) else num_images
    means = [
        {name: np.mean([run[name] for run in runs], axis=0) for name in names} for runs in samples
    ]

    def estimates(values: Mapping[str, np.ndarray], *, is_difference: bool) -> dict[str, Estimate]:
        return {
            name: _of_images(value, resting[name], confidence, is_difference=is_difference)
            for name, value in values.items()
        }

    return Paired(
        detectors=tuple(estimates(mean, is_difference=False) for mean in means),
        differences=tuple(
            estimates({name: mean[name] - means[0][name] for name in names}, is_difference=True)
            for mean in means[1:]
        ),
    )


def _of_images(
    values: np.ndarray, num_images: int, confidence: float, *, is_difference: bool
) -> Estimate:
    if num_images < _MIN_IMAGES:
        return Estimate(None if np.isnan(values[0]) else float(values[0]))
    return _estimate(values[0], values[1:], confidence, is_difference=is_difference)
