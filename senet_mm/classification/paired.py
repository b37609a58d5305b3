"""Two classifiers on the same images: is a difference of their errors signal or noise?

What is compared is the images that one gets right and the other wrong: McNemar, Note on the
sampling error of the difference between correlated proportions, Psychometrika 12 (1947), in its
exact form; and the paired bootstrap over images, Efron and Tibshirani, An Introduction to the
Bootstrap, chapter 13 (percentile interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
    """A difference of two errors, in percentage points, with its interval over images.

    Attributes:
        value: The second's error minus the first's.
        low: Lower end of the interval; None where fewer than :data:`FEWEST` images tell of it.
        high: Its upper end.
        num_images: On how many images the two differ.
    """

    value: float
    low: float | None
    high: float | None
    num_images: int


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

    It tells how the difference would vary over other images of the same kind, for these trained
    models; not from training to training.

    Args:
        first: (S, N) whether each of S trainings of the first misses each image.
        second: (T, N) the same of the second; errors are the means over the trainings.
        num_resamples: How many times to draw N images with replacement.
        confidence: Of the interval.
        seed: Of the draws.
    """
    each = 100 * (second.mean(axis=0) - first.mean(axis=0))  # (N,) points that an image adds
    # draws of images with equal values are alike, so that only their numbers are drawn
    values, counts = np.unique(each.round(9), return_counts=True)
    draws = np.random.default_rng(seed).multinomial(
        len(each), counts / len(each), size=num_resamples
    )
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    low, high = np.quantile(draws @ values / len(each), tails)
    num_images = int(counts[values != 0].sum())
    known = num_images >= FEWEST
    return Difference(
        value=float(each.mean()),
        low=float(low) if known else None,
        high=float(high) if known else None,
        num_images=num_images,
    )
