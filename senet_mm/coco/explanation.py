"""Why detectors differ: error types, operating points, calibration, parts of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from .accumulate import class_precision, mean_of_classes
from .annotations import Annotations
from .calibration import reliability
from .confusion import confusion_matrix
from .error_types import MendedPrecision, mend
from .frequency import class_groups, images_per_class
from .lrp import optimal_lrp
from .matches import Matches
from .operating import operating_points
from .outcomes import SIZES, Outcomes, size_of
from .paired import Paired, Seeds, pair
from .resamples import draw_images

_Run = TypeVar("_Run")
_Result = TypeVar("_Result")
_Samples = dict[str, np.ndarray]  # (1 + B,) by name


@dataclass(frozen=True)
class Part:
    """AP on some of the classes, or of the images.

    Attributes:
        name: Its name.
        about: What it is made of.
        precision: ``AP``.
    """

    name: str
    about: str
    precision: Paired


@dataclass(frozen=True)
class Explanation:
    """Numbers of R detectors, the baseline first; at an IoU of 0.5, but for the AP of parts.

    Attributes:
        error_types: dAP of each of :data:`..error_types.ALL_ERRORS`.
        error_types_by_size: dAP of each of :data:`..outcomes.ERRORS` by size.
        error_types_by_class: dAP of each of :data:`..error_types.ALL_ERRORS`, by class.
        lrp: oLRP and its parts, as :data:`..lrp.PARTS`.
        best: Precision, recall and F1 at each run's threshold of the best F1.
        best_thresholds: Those thresholds, by detector and run.
        given: The same rates at one threshold for all.
        threshold: That one; confusions are counted at it too.
        calibration: ``D-ECE``.
        reliability: By detector, of its first run: count, precision and mean score by score bin.
        confusions: By detector, of its first run: :func:`..confusion.confusion_matrix`.
        frequency: The rare, the common and the frequent classes.
        slices: The parts of the images that were asked for.
    """

    error_types: Paired
    error_types_by_size: dict[str, Paired]
    error_types_by_class: tuple[Paired, ...]
    lrp: Paired
    best: Paired
    best_thresholds: tuple[tuple[float, ...], ...]
    given: Paired
    threshold: float
    calibration: Paired
    reliability: tuple[dict[str, list[float]], ...]
    confusions: tuple[list[list[int]], ...]
    frequency: tuple[Part, ...]
    slices: tuple[Part, ...]


def explain(
    annotations: Annotations,
    matches: Sequence[Sequence[Matches]],
    outcomes: Sequence[Sequence[Outcomes]],
    *,
    seeds: Seeds | None = None,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    threshold: float = 0.3,
    slices: Mapping[str, np.ndarray] | None = None,
    progress: bool = False,
) -> Explanation:
    """Explain the differences of detectors, with intervals by a paired bootstrap over images.

    Args:
        annotations: The annotations.
        matches: The runs of each detector, the baseline's first.
        outcomes: The same runs.
        seeds: The seed of each run, None where it is not known.
        num_resamples: How many times to draw images; the draws are those of the bootstrap of AP.
        confidence: Confidence of the intervals.
        seed: Seed of the draws.
        threshold: Score from which on detections count, for rates and confusions.
        slices: Indices of images by the name of a part, as :func:`..slices.read_slices` gives.
        progress: Whether to show a bar on stderr.
    """
    slices = slices or {}
    objects, num_classes = annotations.objects, len(annotations.category_ids)
    weights = draw_images(len(annotations.image_ids), num_resamples, seed)
    bar = tqdm(total=sum(map(len, matches)) * (5 + len(slices)), desc="why", disable=not progress)

    def each(
        detectors: Sequence[Sequence[_Run]], compute: Callable[[_Run], _Result]
    ) -> list[list[_Result]]:
        """The same of every run."""
        results: list[list[_Result]] = []
        for runs in detectors:
            results.append([])
            for run in runs:
                results[-1].append(compute(run))
                bar.update()
        return results

    real = ~objects.is_crowd
    sizes = size_of(objects.area)

    def images_with(chosen: np.ndarray) -> int:
        """Number of images that have one of the chosen objects."""
        return len(np.unique(objects.image[real & chosen]))

    all_images = images_with(real)

    def paired(
        records: list[list[_Result]], samples: Callable[[_Result], _Samples], num_images: int
    ) -> Paired:
        named = [[samples(record) for record in runs] for runs in records]
        return pair(named, num_images=num_images, confidence=confidence, seeds=seeds)

    with bar:
        mended = each(outcomes, lambda run: mend(run, weights))
        lrp = each(outcomes, lambda run: optimal_lrp(run, weights))
        points = each(outcomes, lambda run: operating_points(run, weights, threshold))
        scores = each(outcomes, lambda run: reliability(run, weights))
        by_class = each(matches, lambda run: class_precision(run, weights))
        by_slice = {
            name: each(matches, partial(_precision_on, weights=weights, images=part))
            for name, part in slices.items()
        }
    return Explanation(
        error_types=paired(mended, lambda run: run.effects(), all_images),
        error_types_by_size={
            name: paired(
                mended, partial(MendedPrecision.effects_by_size, size=i), images_with(sizes == i)
            )
            for i, name in enumerate(SIZES)
        },
        error_types_by_class=tuple(
            paired(mended, partial(MendedPrecision.effects_on_class, index=i), int(count))
            for i, count in enumerate(images_per_class(objects, num_classes))
        ),
        lrp=paired(lrp, lambda run: run.means(), all_images),
        best=paired(points, lambda run: run.best, all_images),
        best_thresholds=tuple(tuple(run.best_threshold for run in runs) for runs in points),
        given=paired(points, lambda run: run.given, all_images),
        threshold=threshold,
        calibration=paired(scores, lambda run: {"D-ECE": run.error}, all_images),
        reliability=tuple(runs[0].curve() for runs in scores),
        confusions=tuple(confusion_matrix(runs[0], threshold).tolist() for runs in outcomes),
        frequency=tuple(
            Part(
                group.name,
                f"{len(group.classes)} classes in {group.fewest:,} to {group.most:,} test images",
                paired(
                    by_class,
                    partial(_mean_of, classes=group.classes),
                    group.num_images,
                ),
            )
            for group in class_groups(objects, num_classes)
        ),
        slices=tuple(
            Part(
                name,
                f"{len(part):,} images",
                paired(
                    by_slice[name],
                    lambda run: {"AP": run},
                    images_with(np.isin(objects.image, part)),
                ),
            )
            for name, part in slices.items()
        ),
    )


def _precision_on(run: Matches, weights: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(B,) AP on some of the images."""
    return mean_of_classes(class_precision(run.subset(images), weights[:, images]))


def _mean_of(precision: np.ndarray, classes: np.ndarray) -> _Samples:
    """The mean of some classes of (B, K) AP."""
    return {"AP": mean_of_classes(precision[:, classes])}
