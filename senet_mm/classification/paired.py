"""Two classifiers on the same images: is a difference of their errors signal or noise?

What is compared is the images that one gets right and the other wrong: McNemar, Note on the
sampling error of the difference between correlated proportions, Psychometrika 12 (1947), in its
exact form; and the paired bootstrap over images, Efron and Tibshirani, An Introduction to the
Bootstrap, chapter 13 (percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..statistics.trainings import difference_over_trainings
from ..statistics.variance import Trainings

# below, no test of the signs can reach 5 %: its lowest p-value is 2^(1 - M)
FEWEST = 6


@dataclass(frozen=True)
class Discordant:
    """On how many images two classifiers differ, and whether that is chance.

    Attributes:
        worse: Images that only the first gets right.
        better: Images that only the second gets right.
        p_value: Exact and two-sided, of both being equally likely.
    """

    worse: int
    better: int
    p_value: float


@dataclass(frozen=True)
class Difference:
    """A difference of two errors, in percentage points, with its interval.

    Attributes:
        value: The second's error minus the first's.
        low: Lower end of the interval; None where fewer than :data:`FEWEST` images tell of it.
        high: Its upper end.
        num_images: On how many images the two differ.
        trainings: Where both have several trainings: what the interval over trainings and images
            was made from. Without it, the interval is about other images alone.
    """

    value: float
    low: float | None
    high: float | None
    num_images: int
    trainings: Trainings | None = None


def mcnemar(first: np.ndarray, second: np.ndarray) -> Discordant:
    """The exact McNemar test.

    Of M images on which the two differ, the number that the second gets right is binomial with
    probability 1/2 if both are equally good; the p-value is twice its smaller tail, at most 1.

    Args:
        first: (N,) whether the first misses each image.
        second: (N,) whether the second does.
    """
    worse = int(np.count_nonzero(second & ~first))
    better = int(np.count_nonzero(first & ~second))
    number = worse + better
    ways = tail = 1  # of integers, which are exact: the ways to have none, and at most none
    for taken in range(min(worse, better)):
        ways = ways * (number - taken) // (taken + 1)
        tail += ways
    return Discordant(worse, better, min(1.0, 2 * tail / 2**number))


def difference(
    first: np.ndarray,
    second: np.ndarray,
    *,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Difference:
    """The difference of two errors, with the interval of the paired bootstrap over images.

    It tells how the difference would vary over other images of the same kind and, where both have
    several trainings, over other trainings too; see
    :func:`..statistics.trainings.difference_over_trainings`.

    Args:
        first: (S, N) whether each of S trainings of the first misses each image.
        second: (T, N) the same of the second; errors are the means over the trainings.
        num_resamples: How many times to draw N images with replacement.
        confidence: Of the interval.
        seed: Of the draws.
    """
    # images that the same trainings miss are alike, so that only their numbers are drawn
    missed, counts = np.unique(np.concatenate([first, second]), axis=1, return_counts=True)
    total = first.shape[1]
    draws = np.random.default_rng(seed).multinomial(total, counts / total, size=num_resamples)
    errors = 100 / total * (missed.astype(float) @ np.vstack([counts, draws]).T)
    found = difference_over_trainings(
        errors[: len(first)], errors[len(first) :], confidence=confidence, num_images=total
    )
    differ = len(first) * second.sum(axis=0) != len(second) * first.sum(axis=0)
    num_images = int(np.count_nonzero(differ))
    low, high = (found.low, found.high) if num_images >= FEWEST else (None, None)
    return Difference(
        float(errors[len(first) :, 0].mean() - errors[: len(first), 0].mean()),
        low,
        high,
        num_images,
        found.trainings,
    )
