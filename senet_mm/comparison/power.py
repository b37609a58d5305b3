"""How many trainings would show a difference, from the runs at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..coco.bootstrap import Bootstrap
from ..statistics.power import trainings_needed

_FACTORS = (1, 2, 4)  # times the images that there are


@dataclass(frozen=True)
class Needed:
    """What shows a difference in AP in 80 % of the cases.

    Attributes:
        detector: The detector that is set against the baseline.
        difference: The true difference in AP, 0..1.
        num_images: Images, of which as many have objects as of those at hand.
        num_trainings: Trainings of each of the two; None where more than 100 are.
    """

    detector: str
    difference: float
    num_images: int
    num_trainings: int | None


def check_power(num_runs: Mapping[str, int]) -> None:
    """Check that there is a spread over trainings to go by.

    Args:
        num_runs: Runs of each detector.

    Raises:
        ValueError: If a detector has one run only.
    """
    once = [name for name, count in num_runs.items() if count < 2]
    if once:
        raise ValueError(
            f"--power goes by the spread over trainings, and {once[0]} has one run: give two or "
            "more of each detector, under one name"
        )


def needed_trainings(
    names: Sequence[str], bootstrap: Bootstrap, num_images: int, differences: Sequence[float]
) -> tuple[Needed, ...]:
    """For each detector but the baseline, each difference and some numbers of images.

    Args:
        names: Names of the detectors, the baseline first.
        bootstrap: Their numbers. Where too few images have objects for an interval, there is
            nothing to go by and nothing returned.
        num_images: Images that there are.
        differences: Differences in AP, 0..1.
    """
    needed = []
    for name, estimates in zip(names[1:], bootstrap.differences, strict=True):
        ap = estimates["AP"]
        if ap.trainings is None or ap.num_images is None:
            continue
        for difference in differences:
            for factor in _FACTORS:
                count = trainings_needed(
                    difference,
                    ap.trainings.sources,
                    num_images=ap.num_images,
                    factor=factor,
                    confidence=bootstrap.confidence,
                )
                needed.append(Needed(name, difference, factor * num_images, count))
    return tuple(needed)
