"""A comparison as tables."""

from __future__ import annotations

from collections.abc import Sequence

from ...coco.metrics import METRICS
from ...io.tables import markdown
from ...statistics.estimate import Estimate
from ...statistics.power import MAX_TRAININGS
from ..comparison import Comparison, Detector
from ..evaluation import seed_deviation

_MEGA, _GIGA = 1e6, 1e9

# the header, then the cells of each row
Rows = list[list[str]]


def table(rows: Rows) -> str:
    """Rows as a Markdown table, the first column to the left."""
    header, *cells = rows
    return markdown([header, ["---"] + ["---:"] * (len(header) - 1), *cells])


def metrics_table(comparison: Comparison) -> str:
    """:func:`metrics_rows` as Markdown."""
    return table(metrics_rows(comparison))


def difference_tables(comparison: Comparison) -> str:
    """:func:`difference_rows` of each detector as Markdown."""
    return "\n\n".join(map(table, difference_rows(comparison)))


def class_table(comparison: Comparison) -> str:
    """:func:`class_rows` as Markdown."""
    return table(class_rows(comparison))


def power_table(comparison: Comparison) -> str:
    """:func:`power_rows` as Markdown."""
    return table(power_rows(comparison))


def metrics_rows(comparison: Comparison) -> Rows:
    """One row per detector: COCO's numbers in percent, its cost, and the paper's row."""
    with_cost = any(detector.cost for detector in comparison.detectors)
    with_paper = any(detector.paper for detector in comparison.detectors)
    header = ["", *METRICS]
    if with_cost:
        header += ["params (M)", "GFLOPs", "ms/image", "peak MB", "s/iter"]
    if with_paper:
        header += ["paper AP", "paper AP50"]
    rows = [header]
    for index, detector in enumerate(comparison.detectors):
        row = [detector.name]
        for name in METRICS:
            runs = [run[name] for run in comparison.bootstrap.run_metrics[index]]
            value, spread = comparison.bootstrap.metrics[index][name].value, seed_deviation(runs)
            row.append(percent(value) + ("" if spread is None else f" ± {100 * spread:.1f}"))
        if with_cost:
            row += _cost(detector)
        if with_paper:
            paper = detector.paper
            row += [f"{paper.ap:.1f}", f"{paper.ap50:.1f}"] if paper else ["-", "-"]
        rows.append(row)
    return rows


def difference_rows(comparison: Comparison) -> list[Rows]:
    """Per detector but the baseline: each metric's difference, its interval and p-value."""
    return [_difference_rows(comparison, index) for index in range(1, len(comparison.detectors))]


def _difference_rows(comparison: Comparison, index: int) -> Rows:
    percent = f"{100 * comparison.bootstrap.confidence:g} % interval"
    title = f"{comparison.names[index]} - {comparison.names[0]}"
    differences = comparison.bootstrap.differences[index - 1]
    with_trainings = any(estimate.trainings for estimate in differences.values())
    header = [title, "images", "difference", percent, "p"]
    header += ["of trainings"] * with_trainings + [comparison.names[0], comparison.names[index]]
    rows = [header]
    for name in METRICS:
        estimate = differences[name]
        values = [comparison.bootstrap.metrics[i][name] for i in (0, index)]
        row = [name, num_images(estimate), *difference_cells(estimate)]
        if with_trainings:
            row.append(_share(estimate))
        rows.append([*row, *(_with_interval(value) for value in values)])
    return rows


def class_rows(comparison: Comparison) -> Rows:
    """AP per class of each detector, and the differences, the largest gain first."""
    bootstrap, names = comparison.bootstrap, comparison.names
    header = ["class", "images", *names]
    for name in names[1:]:
        header += [f"{name} - {names[0]}", "interval", "p", "adjusted p"]
    rows: list[tuple[float, list[str]]] = []
    for index, label in enumerate(bootstrap.classes):
        values = [precision[index] for precision in bootstrap.class_precision]
        if all(value.value is None for value in values):
            continue
        differences = [difference[index] for difference in bootstrap.class_differences]
        cells = [label, num_images(values[0]), *(percent(value.value) for value in values)]
        for estimate in differences:
            adjusted = estimate.adjusted_p_value
            cells += [*difference_cells(estimate), "-" if adjusted is None else p_value(adjusted)]
        rows.append((differences[0].value or 0.0, cells))
    rows.sort(key=lambda row: -row[0])
    return [header, *(cells for _, cells in rows)]


def power_rows(comparison: Comparison) -> Rows:
    """Trainings of each detector that would show a difference, by the number of images."""
    images = sorted({one.num_images for one in comparison.needed})
    rows = [["trainings of each for", *(f"{count:,} images" for count in images)]]
    by_row: dict[tuple[str, float], dict[int, str]] = {}
    for one in comparison.needed:
        number = f"> {MAX_TRAININGS}" if one.num_trainings is None else str(one.num_trainings)
        by_row.setdefault((one.detector, one.difference), {})[one.num_images] = number
    for (name, difference), numbers in by_row.items():
        label = f"{name} - {comparison.names[0]}: {100 * difference:g} AP"
        rows.append([label, *(numbers[count] for count in images)])
    return rows


def num_images(estimate: Estimate) -> str:
    """The number of images that a number rests on."""
    return "-" if estimate.num_images is None else f"{estimate.num_images:,}"


def _share(estimate: Estimate) -> str:
    return "-" if estimate.trainings is None else f"{100 * estimate.trainings.share:.0f} %"


def difference_cells(estimate: Estimate) -> list[str]:
    """Difference, interval and p-value as cells."""
    if estimate.value is None:
        return ["-", "-", "-"]
    difference = f"{100 * estimate.value:+.1f}"
    if estimate.interval is None or estimate.p_value is None:
        return [difference, "-", "-"]
    low, high = estimate.interval
    return [difference, f"{100 * low:+.1f} to {100 * high:+.1f}", p_value(estimate.p_value)]


def p_value(value: float) -> str:
    """A p-value in three digits."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def percent(value: float | None) -> str:
    """A number in 0..1 in percent; a dash where there is none."""
    return "-" if value is None else f"{100 * value:.1f}"


def _with_interval(estimate: Estimate) -> str:
    if estimate.interval is None:
        return percent(estimate.value)
    low, high = map(percent, estimate.interval)
    return f"{percent(estimate.value)} ({low} to {high})"


def _cost(detector: Detector) -> Sequence[str]:
    cost = detector.cost
    if cost is None:
        return ["-"] * 5
    inference, seconds = cost.inference, cost.seconds_per_iteration
    return [
        f"{cost.parameters / _MEGA:.2f}",
        f"{inference.multiply_adds / _GIGA:.2f}",
        f"{1000 * inference.seconds:.1f} ± {1000 * inference.spread:.1f}",
        f"{inference.memory / _MEGA:.1f}",
        "-" if seconds is None else f"{seconds:.3f}",
    ]
