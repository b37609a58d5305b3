"""A comparison as Markdown tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence

from ...coco.bootstrap import Estimate
from ...coco.metrics import METRICS
from ...io.tables import markdown
from ..comparison import Comparison, Detector
from ..evaluation import seed_deviation

_MEGA, _GIGA = 1e6, 1e9
# with fewer images the intervals are somewhat too narrow
_FEW_IMAGES = 100


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
            row.append(_percent(value) + ("" if spread is None else f" ± {100 * spread:.1f}"))
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
    header = [title, "difference", percent, "p", *comparison.names[:1], comparison.names[index]]
    rows = [header]
    for name in METRICS:
        estimate = comparison.bootstrap.differences[index - 1][name]
        values = [comparison.bootstrap.metrics[i][name] for i in (0, index)]
        rows.append(
            [name, *difference_cells(estimate), *(_with_interval(value) for value in values)]
        )
    return rows


def class_rows(comparison: Comparison) -> Rows:
    """AP per class of each detector, and the differences, the largest gain first."""
    bootstrap, names = comparison.bootstrap, comparison.names
    header = ["class", *names]
    for name in names[1:]:
        header += [f"{name} - {names[0]}", "interval", "p"]
    rows: list[tuple[float, list[str]]] = []
    for index, label in enumerate(bootstrap.classes):
        values = [precision[index] for precision in bootstrap.class_precision]
        if all(value.value is None for value in values):
            continue
        differences = [difference[index] for difference in bootstrap.class_differences]
        cells = [cell for estimate in differences for cell in difference_cells(estimate)]
        gain = differences[0].value or 0.0
        rows.append((gain, [label, *(_percent(value.value) for value in values), *cells]))
    rows.sort(key=lambda row: -row[0])
    return [header, *(cells for _, cells in rows)]


def verdicts(comparison: Comparison) -> list[str]:
    """What the AP differences say, a sentence per detector but the baseline."""
    return [
        _verdict(comparison, index, differences["AP"])
        for index, differences in enumerate(comparison.bootstrap.differences, start=1)
    ]


def notes(comparison: Comparison) -> list[str]:
    """What the numbers are, and what they cannot say."""
    bootstrap = comparison.bootstrap
    told = [
        f"Evaluated on {comparison.num_images:,} images with {comparison.num_objects:,} objects "
        f"({comparison.ann_file.name}, {comparison.iou_type}). Numbers are in percent.",
        f"Intervals and p-values: paired bootstrap over images, {bootstrap.num_resamples:,} "
        f"resamples, seed {bootstrap.seed}; {100 * bootstrap.confidence:g} % intervals, of "
        "differences by percentiles, of a detector's own numbers bias-corrected. They say how the "
        "numbers would vary over other images of the same kind, for these trained weights; not how "
        "they vary from one training to the next.",
    ]
    if all(len(detector.sources) == 1 for detector in comparison.detectors):
        told.append(
            "Each detector was trained once: to know the noise of training, train several seeds "
            "and give their runs one name."
        )
    else:
        told.append(
            "± is the standard deviation over the runs of a detector (seeds); intervals are of the "
            "mean over the runs."
        )
    if comparison.num_images < _FEW_IMAGES:
        told.append(
            f"{comparison.num_images} images are few: such intervals tend to be too narrow, those "
            "of classes with few objects above all."
        )
    smallest = 2 / (bootstrap.num_resamples + 1)
    if smallest >= 1 - bootstrap.confidence:
        told.append(
            f"With {bootstrap.num_resamples} resamples no p-value can be below {smallest:.3f}, so "
            "no difference can be shown: raise --num-resamples."
        )
    told += comparison.remarks
    costs = [detector.cost for detector in comparison.detectors if detector.cost]
    if costs:
        inference = costs[0].inference
        told.append(
            f"GFLOPs, time and memory: {inference.num_images} pictures of the test set one by one, "
            f"float32, on {inference.device}, with the weights that are compared. GFLOPs are the "
            f"median; time is the median of {inference.num_passes} passes, the detectors taking "
            "turns, ± half the distance of the quartiles; memory is the largest peak of the "
            "tensors made on the way."
        )
    return told


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


def _verdict(comparison: Comparison, index: int, ap: Estimate) -> str:
    name, baseline = comparison.names[index], comparison.names[0]
    difference, interval, p = difference_cells(ap)
    if ap.interval is None or ap.p_value is None:
        return f"{name} and {baseline} cannot be told apart: there is no object to find."
    low, high = ap.interval
    told = f"AP {difference} ({interval}, p {p if p[0] == '<' else '= ' + p})"
    # both say the same but where a resample more or less decides
    shown = ap.p_value < 1 - comparison.bootstrap.confidence
    if shown and low > 0:
        return f"{name} is better than {baseline} on such images: {told}."
    if shown and high < 0:
        return f"{name} is worse than {baseline} on such images: {told}."
    return f"No difference between {name} and {baseline} is shown: {told}."


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _with_interval(estimate: Estimate) -> str:
    if estimate.interval is None:
        return _percent(estimate.value)
    low, high = map(_percent, estimate.interval)
    return f"{_percent(estimate.value)} ({low} to {high})"


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
