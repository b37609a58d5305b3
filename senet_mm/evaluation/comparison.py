"""Compare runs: COCO metrics, cost, and the difference to the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..analysis.complexity import (
    build_detector,
    count_multiply_adds,
    count_parameters,
    input_size,
)
from ..utils.markdown import markdown
from .coco_metrics import METRICS, coco_metrics
from .runs import Run, detect, seconds_per_iteration


@dataclass(frozen=True)
class Result:
    """What a run reached and what it costs.

    Attributes:
        name: Name of the run.
        metrics: COCO metrics in 0..1, by name; -1 where there is nothing to find.
        parameters: Number of parameters of the whole detector.
        multiply_adds: Multiply-adds of one full-sized test image.
        seconds_per_iteration: Median time of a training iteration, if logged.
        results_file: The detections.
    """

    name: str
    metrics: dict[str, float]
    parameters: int
    multiply_adds: int
    seconds_per_iteration: float | None
    results_file: Path


def evaluate_run(run: Run) -> Result:
    """Evaluate a run's latest checkpoint on its test set and measure its cost."""
    model, size = build_detector(run.config), input_size(run.config)
    results_file = detect(run)
    return Result(
        name=run.name,
        metrics=coco_metrics(run.ann_file, results_file),
        parameters=count_parameters(model),
        multiply_adds=count_multiply_adds(model, size),
        seconds_per_iteration=seconds_per_iteration(run),
        results_file=results_file,
    )


def markdown_table(results: Sequence[Result]) -> str:
    """A Markdown table: one row per run, then one with each difference to the first."""
    baseline, *others = results
    header = ["", *METRICS, "params (M)", "GFLOPs", "s/iter"]
    rows = [header, ["---"] + ["---:"] * (len(header) - 1)]
    rows += [[result.name, *_cells(result)] for result in results]
    rows += [
        [f"{other.name} - {baseline.name}", *_differences(baseline, other)] for other in others
    ]
    return markdown(rows)


def _numbers(result: Result) -> list[tuple[float | None, int]]:
    """The numbers of a row as (value, decimals); None where there is none."""
    metrics = [result.metrics[name] for name in METRICS]
    return [
        *((None if value < 0 else 100 * value, 1) for value in metrics),
        (result.parameters / 1e6, 2),
        (result.multiply_adds / 1e9, 2),
        (result.seconds_per_iteration, 3),
    ]


def _cells(result: Result) -> list[str]:
    return ["-" if value is None else f"{value:.{digits}f}" for value, digits in _numbers(result)]


def _differences(baseline: Result, other: Result) -> list[str]:
    pairs = zip(_numbers(baseline), _numbers(other), strict=True)
    return [
        "-" if before is None or after is None else f"{after - before:+.{digits}f}"
        for (before, digits), (after, _) in pairs
    ]
