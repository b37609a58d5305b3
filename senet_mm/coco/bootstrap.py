"""Paired bootstrap over images: is a difference of two detectors signal or noise?

Intervals as in Efron and Tibshirani, An Introduction to the Bootstrap: of a difference the
percentile interval (chapter 13); of a detector's own metric the bias-corrected one (section 14.3
with an acceleration of 0), as AP is biased upward in resamples, where images repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from tqdm import tqdm

from .accumulate import ALL_METRICS, Accumulated, accumulate_class, stack_classes
from .matches import Matches
from .resamples import draw_images

_NORMAL = NormalDist()


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty; None where it is undefined (no class has such an object).

    Attributes:
        value: The number on the data set itself.
        low: Lower end of the interval.
        high: Its upper end.
        standard_error: Standard deviation over the resamples.
        num_undefined: Number of resamples left out, as the number is undefined in them.
        p_value: Of a difference only: two-sided, twice the share of resamples on the side of 0
            where fewer are, each side counting the zeros and one resample more, at most 1. It is
            never 0, and 1 for two equal results.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    num_undefined: int = 0
    p_value: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends of the interval; None where it is undefined."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Bootstrap:
    """Metrics of R detectors, the baseline first, and the differences to it.

    Attributes:
        classes: Name of each of the K categories.
        run_metrics: For each detector and each of its runs, the metrics by name.
        metrics: For each detector, COCO's 12 metrics in 0..1 by name, the mean of its runs.
        class_precision: For each detector, AP of each class, the mean of its runs.
        differences: For each detector but the baseline, its metrics minus the baseline's.
        class_differences: The same of each class' AP.
        num_resamples: Number of resamples.
        confidence: Confidence of the intervals.
        seed: Seed of the resamples.
    """

    classes: tuple[str, ...]
    run_metrics: tuple[tuple[dict[str, float | None], ...], ...]
    metrics: tuple[dict[str, Estimate], ...]
    class_precision: tuple[tuple[Estimate, ...], ...]
    differences: tuple[dict[str, Estimate], ...]
    class_differences: tuple[tuple[Estimate, ...], ...]
    num_resamples: int
    confidence: float
    seed: int


def bootstrap(
    detectors: Sequence[Sequence[Matches]],
    *,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    progress: bool = False,
) -> Bootstrap:
    """Draw images with replacement, the same ones for every run, and evaluate.

    The intervals tell how the numbers would vary over other images of the same kind, for these
    trained runs; how they vary from training to training needs several seeds. A detector's metrics
    are the means over its runs, in each resample.

    Args:
        detectors: The runs of each detector (seeds of one training), the baseline's first, all on
            the same annotations (see :func:`..annotations.check_same_annotations`).
        num_resamples: How many times to draw.
        confidence: Confidence of the intervals, 0.95 for 95 %.
        seed: Seed of the draws.
        progress: Whether to show a bar on stderr.

    Raises:
        ValueError: If there is no run, runs are on different images or classes, there are too few
            images or resamples, or the confidence is not between 0 and 1.
    """
    matches = [run for runs in detectors for run in runs]
    _check(matches)
    check_options(matches[0].num_images, num_resamples, confidence)
    num_images = matches[0].num_images
    weights = draw_images(num_images, num_resamples, seed)
    tasks = [(index, one) for index, run in enumerate(matches) for one in run.by_class]
    per_class: list[list[Accumulated]] = [[] for _ in matches]
    for index, one in tqdm(tasks, desc="resampling", disable=not progress):
        per_class[index].append(accumulate_class(one, weights))
    results = [stack_classes(parts) for parts in per_class]
    of_runs = _split([result.metrics() for result in results], detectors)
    metrics = [np.mean(runs, axis=0) for runs in of_runs]
    by_class = [
        np.mean(runs, axis=0)
        for runs in _split([result.class_precision() for result in results], detectors)
    ]

    def named(estimates: Sequence[Estimate]) -> dict[str, Estimate]:
        return dict(zip(ALL_METRICS, estimates, strict=True))

    def difference(values: np.ndarray, baseline: np.ndarray) -> tuple[Estimate, ...]:
        return _estimates(values - baseline, confidence, is_difference=True)

    return Bootstrap(
        classes=matches[0].classes,
        run_metrics=tuple(tuple(_named_values(run[0]) for run in runs) for runs in of_runs),
        metrics=tuple(named(_estimates(values, confidence)) for values in metrics),
        class_precision=tuple(_estimates(values, confidence) for values in by_class),
        differences=tuple(named(difference(values, metrics[0])) for values in metrics[1:]),
        class_differences=tuple(difference(values, by_class[0]) for values in by_class[1:]),
        num_resamples=num_resamples,
        confidence=confidence,
        seed=seed,
    )


def _split(values: Sequence[np.ndarray], detectors: Sequence[Sequence]) -> list[list[np.ndarray]]:
    """One value per run, by detector."""
    rest = iter(values)
    return [[next(rest) for _ in runs] for runs in detectors]


def _named_values(row: np.ndarray) -> dict[str, float | None]:
    values = [None if np.isnan(value) else float(value) for value in row]
    return dict(zip(ALL_METRICS, values, strict=True))


def _estimates(
    values: np.ndarray, confidence: float, *, is_difference: bool = False
) -> tuple[Estimate, ...]:
    """Estimates from (1 + B, N) values, the first row of which is of the data set itself."""
    return tuple(
        _estimate(column[0], column[1:], confidence, is_difference=is_difference)
        for column in values.T
    )


def _estimate(
    value: float, samples: np.ndarray, confidence: float, *, is_difference: bool
) -> Estimate:
    defined = samples[~np.isnan(samples)]
    num_undefined = len(samples) - len(defined)
    if np.isnan(value) or len(defined) < 2:
        return Estimate(None if np.isnan(value) else float(value), num_undefined=num_undefined)
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
    )


def _bias(value: float, samples: np.ndarray) -> float:
    """z0, the normal quantile of the share of resamples below the value, ties counted half."""
    below = np.count_nonzero(samples < value) + np.count_nonzero(samples == value) / 2
    # none or all of them would be infinitely far
    return _NORMAL.inv_cdf(min(max(below, 0.5), len(samples) - 0.5) / len(samples))


def check_options(num_images: int, num_resamples: int, confidence: float) -> None:
    """Check the options of :func:`bootstrap`.

    Raises:
        ValueError: If there are too few images or resamples, or the confidence is not between
            0 and 1.
    """
    if num_images < 2:
        raise ValueError(f"{num_images} images cannot be resampled; expected 2 or more")
    if num_resamples < 2:
        raise ValueError(f"num_resamples is {num_resamples}; expected 2 or more")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is {confidence}; expected between 0 and 1, as 0.95")


def _check(matches: Sequence[Matches]) -> None:
    if not matches:
        raise ValueError("no runs; expected one detector or more, the baseline first")
    expected = (matches[0].num_images, matches[0].classes)
    for index, one in enumerate(matches):
        if (one.num_images, one.classes) != expected:
            raise ValueError(
                f"run {index} has {one.num_images} images and {len(one.classes)} classes, "
                f"the baseline {expected[0]} and {len(expected[1])}, or other classes: results on "
                "different annotations cannot be paired"
            )
