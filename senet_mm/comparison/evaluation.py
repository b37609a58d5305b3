"""How good detectors are on one annotation file, from what they detected: numbers alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..coco.accumulate import precision_curves
from ..coco.annotations import Annotations
from ..coco.bootstrap import Bootstrap, bootstrap
from ..coco.explanation import Explanation, explain
from ..coco.matches import Matches
from ..coco.matching import match_runs
from ..coco.outcomes import find_outcomes
from ..coco.results import Detections


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Numbers of detectors, the baseline first, and what they were computed from.

    Attributes:
        annotations: The annotations.
        detections: Of each run of each detector.
        matches: The same, matched to the objects.
        bootstrap: Metrics with intervals, and the differences to the baseline.
        explanation: Why they differ.
        precision: Of each detector's first run, mean precision at the 101 recalls by IoU threshold.
    """

    annotations: Annotations
    detections: dict[str, tuple[Detections, ...]]
    matches: dict[str, tuple[Matches, ...]]
    bootstrap: Bootstrap
    explanation: Explanation
    precision: dict[str, dict[str, list[float]]]


def evaluate(
    annotations: Annotations,
    detections: Mapping[str, Sequence[Detections]],
    *,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    training_seeds: Mapping[str, Sequence[int | None]] | None = None,
    threshold: float = 0.3,
    slices: Mapping[str, np.ndarray] | None = None,
    engine: str = "pycocotools",
    workers: int = 1,
    progress: bool = False,
) -> Evaluation:
    """Evaluate detectors and their differences to the first.

    Args:
        annotations: The annotations, with their masks where the detections are masks.
        detections: Of each run of each detector by its name, the baseline first.
        num_resamples: Resamples of the bootstrap over images.
        confidence: Confidence of the intervals.
        seed: Seed of the resamples.
        training_seeds: The seed of each run by the detector's name, None where it is not known.
        threshold: Score from which on detections count, for precision, recall and confusions.
        slices: Images of each part of the data that is looked at, by their index.
        engine: Whose COCOeval matches, one of ``senet_mm.coco.engines.ENGINES``.
        workers: How many processes match, where it is worth it.
        progress: Whether to show bars on stderr.

    Raises:
        ChildProcessError: If one of several processes was killed.
        ValueError: If an option is out of its range, or there are too few images.
    """
    matched = iter(
        match_runs(
            annotations,
            [run for runs in detections.values() for run in runs],
            engine=engine,
            workers=workers,
            progress=progress,
        )
    )
    matches = {name: tuple(islice(matched, len(runs))) for name, runs in detections.items()}
    seeds = None if training_seeds is None else [training_seeds[name] for name in detections]
    result = bootstrap(
        list(matches.values()),
        seeds=seeds,
        num_resamples=num_resamples,
        confidence=confidence,
        seed=seed,
        progress=progress,
    )
    outcomes = [
        [find_outcomes(annotations, run, progress=progress) for run in runs]
        for runs in detections.values()
    ]
    explanation = explain(
        annotations,
        list(matches.values()),
        outcomes,
        seeds=seeds,
        num_resamples=num_resamples,
        confidence=confidence,
        seed=seed,
        threshold=threshold,
        slices=slices,
        progress=progress,
    )
    return Evaluation(
        annotations=annotations,
        detections={name: tuple(runs) for name, runs in detections.items()},
        matches=matches,
        bootstrap=result,
        explanation=explanation,
        precision={
            name: {key: curve.tolist() for key, curve in precision_curves(runs[0]).items()}
            for name, runs in matches.items()
        },
    )


def seed_deviation(values: Sequence[float | None]) -> float | None:
    """Standard deviation over the seeds of a detector; None for a single one."""
    defined = [value for value in values if value is not None]
    return statistics.stdev(defined) if len(defined) > 1 else None
