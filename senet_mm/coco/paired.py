"""Numbers of detectors on the same resamples, and their differences to the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..statistics.estimate import Estimate, estimate
from ..statistics.trainings import difference_over_trainings

Seeds = Sequence[Sequence[int | None]]  # of each run of each detector, None where it is not known


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
    seeds: Seeds | None = None,
) -> Paired:
    """Estimate numbers and their differences, over trainings too where both sides have several.

    Args:
        samples: For each detector and each of its runs (1 + B,) values by name: on the data set
            itself, and in the same B resamples for every run.
        num_images: Number of images that the numbers, or each of them, rest on.
        confidence: Confidence of the intervals.
        seeds: The seed of each run.
    """
    names = list(samples[0][0])
    resting = dict.fromkeys(names, num_images) if isinstance(num_images, int) else num_images
    stacked = [{name: np.stack([run[name] for run in runs]) for name in names} for runs in samples]

    def own(values: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
        return {
            name: estimate(
                values[name].mean(axis=0), confidence=confidence, num_images=resting[name]
            )
            for name in names
        }

    def difference(index: int) -> dict[str, Estimate]:
        return {
            name: difference_over_trainings(
                stacked[0][name],
                stacked[index][name],
                confidence=confidence,
                num_images=resting[name],
                seeds=None if seeds is None else (seeds[0], seeds[index]),
            )
            for name in names
        }

    return Paired(
        detectors=tuple(map(own, stacked)),
        differences=tuple(map(difference, range(1, len(stacked)))),
    )
