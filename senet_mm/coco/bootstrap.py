"""Paired bootstrap over images: is a difference of two detectors signal or noise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from ..statistics.estimate import Estimate
from ..statistics.family import holm, smooth_p_value
from .accumulate import ALL_METRICS, accumulate_class, stack_classes
from .matches import Matches
from .paired import Seeds, pair
from .resamples import draw_images
from .support import images_of_classes, images_of_metrics


@dataclass(frozen=True)
class Bootstrap:
    """Metrics of R detectors, the baseline first, and the differences to it.

    Differences are over trainings and images where both sides have several runs, else over images
    alone; ``Estimate.trainings`` tells which.

    Attributes:
        classes: Name of each of the K categories.
        run_metrics: For each detector and each of its runs, the metrics by name.
        metrics: For each detector, COCO's 12 metrics in 0..1 by name, the mean of its runs.
        class_precision: For each detector, AP of each class, the mean of its runs.
        differences: For each detector but the baseline, its metrics minus the baseline's.
        class_differences: The same of each class' AP, with p-values adjusted for all classes and
            detectors.
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
    seeds: Seeds | None = None,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    progress: bool = False,
) -> Bootstrap:
    """Draw images with replacement, the same ones for every run, and evaluate.

    With one run on a side the intervals tell how a difference would vary over other images of the
    same kind, for these trained weights; with several on both, over other trainings too. A
    detector's metrics are the means over its runs, in each resample.

    Args:
        detectors: The runs of each detector (seeds of one training), the baseline's first, all on
            the same annotations (see :func:`..annotations.check_same_annotations`).
        seeds: The seed that each was trained with, None where it is not known.
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
    weights = draw_images(matches[0].num_images, num_resamples, seed)
    bar = tqdm(
        total=sum(len(run.by_class) for run in matches), desc="resampling", disable=not progress
    )
    with bar:
        samples = [[resample(run, weights, bar) for run in runs] for runs in detectors]
    metrics = pair(
        [[dict(zip(ALL_METRICS, run[0].T, strict=True)) for run in runs] for runs in samples],
        num_images=dict(zip(ALL_METRICS, images_of_metrics(matches[0]).tolist(), strict=True)),
        confidence=confidence,
        seeds=seeds,
    )
    keys = [str(index) for index in range(len(matches[0].classes))]
    classes = pair(
        [[dict(zip(keys, run[1].T, strict=True)) for run in runs] for runs in samples],
        num_images=dict(zip(keys, images_of_classes(matches[0]).tolist(), strict=True)),
        confidence=confidence,
        seeds=seeds,
    )
    return Bootstrap(
        classes=matches[0].classes,
        run_metrics=tuple(tuple(_named_values(run[0][0]) for run in runs) for runs in samples),
        metrics=metrics.detectors,
        class_precision=tuple(tuple(each.values()) for each in classes.detectors),
        differences=metrics.differences,
        class_differences=_adjusted([tuple(each.values()) for each in classes.differences]),
        num_resamples=num_resamples,
        confidence=confidence,
        seed=seed,
    )


def resample(run: Matches, weights: np.ndarray, bar: tqdm) -> tuple[np.ndarray, np.ndarray]:
    """(1 + B, 12) metrics and (1 + B, K) AP of the classes of a run, for each row of weights."""
    per_class = []
    for one in run.by_class:
        per_class.append(accumulate_class(one, weights))
        bar.update()
    result = stack_classes(per_class)
    return result.metrics(), result.class_precision()


def _adjusted(differences: list[tuple[Estimate, ...]]) -> tuple[tuple[Estimate, ...], ...]:
    """Adds the p-values among all; none is below that of the difference alone."""
    smooth = np.array([[smooth_p_value(one) for one in each] for each in differences])
    adjusted = holm(smooth.ravel()).reshape(smooth.shape)
    return tuple(
        tuple(
            one if one.p_value is None else replace(one, adjusted_p_value=max(one.p_value, p))
            for one, p in zip(each, row.tolist(), strict=True)
        )
        for each, row in zip(differences, adjusted, strict=True)
    )


def _named_values(row: np.ndarray) -> dict[str, float | None]:
    values = [None if np.isnan(value) else float(value) for value in row]
    return dict(zip(ALL_METRICS, values, strict=True))


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
