"""The plots of a comparison, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .coco_accumulate import RECALLS
from .coco_bootstrap import Estimate
from .coco_metrics import METRICS
from .comparison import Comparison
from .training_curves import Curves

# a palette that colour-blind people can tell apart (Okabe and Ito)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "senet_mm",  # the same comparison gives the same file
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_METRIC_NAMES = {"APs": "AP small", "APm": "AP medium", "APl": "AP large"}


def color(index: int) -> str:
    """The colour of a detector."""
    return COLORS[index % len(COLORS)]


def plot_differences(comparison: Comparison) -> str:
    """Difference to the baseline with its interval, per metric and size."""
    others = comparison.bootstrap.differences
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(8, 0.9 + 0.34 * len(METRICS) * max(1, 0.7 * len(others))))
        axes = figure.subplots()
        labels = [_METRIC_NAMES.get(name, name) for name in METRICS]
        for index, differences in enumerate(others, start=1):
            shift = 0.22 * (index - (len(others) + 1) / 2)
            _intervals(axes, [differences[name] for name in METRICS], shift, index, comparison)
        _category_axis(axes, labels)
        axes.set_xlabel(f"difference to {comparison.names[0]}, percentage points")
        if len(others) > 1:
            axes.legend()
        return _svg(figure)


def plot_precision_recall(comparison: Comparison) -> str:
    """Precision over recall, the mean over the classes, at three choices of IoU."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 3.4))
        panels = figure.subplots(1, 3, sharey=True)
        for axes, key in zip(panels, ("0.50", "0.75", "0.50:0.95"), strict=True):
            for index, detector in enumerate(comparison.detectors):
                axes.plot(RECALLS, detector.precision[key], color=color(index), label=detector.name)
            axes.set(title=f"IoU {key}", xlabel="recall", xlim=(0, 1), ylim=(0, 1.02))
        panels[0].set_ylabel("precision")
        panels[-1].legend(loc="upper right")
        return _svg(figure)


def plot_classes(comparison: Comparison) -> str:
    """Difference of each class' AP to the baseline's, sorted by the first."""
    bootstrap = comparison.bootstrap
    first = bootstrap.class_differences[0]
    order = [index for index, estimate in enumerate(first) if estimate.value is not None]
    order.sort(key=lambda index: -first[index].value)
    with matplotlib.rc_context(_STYLE):
        others = len(bootstrap.class_differences)
        figure = Figure(figsize=(8, 1 + 0.22 * len(order) * max(1, 0.7 * others)))
        axes = figure.subplots()
        for index, differences in enumerate(bootstrap.class_differences, start=1):
            shift = 0.22 * (index - (others + 1) / 2)
            _intervals(axes, [differences[i] for i in order], shift, index, comparison)
        _category_axis(axes, [bootstrap.classes[index] for index in order])
        axes.set_xlabel(f"AP difference to {comparison.names[0]}, percentage points")
        if others > 1:
            axes.legend()
        return _svg(figure)


def plot_cost(comparison: Comparison) -> str | None:
    """AP with its interval against parameters, FLOPs and time; None where no cost is known."""
    shown = [
        (index, detector) for index, detector in enumerate(comparison.detectors) if detector.cost
    ]
    if not shown:
        return None
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 3.2))
        panels = figure.subplots(1, 3, sharey=True)
        for index, detector in shown:
            cost, ap = detector.cost, comparison.bootstrap.metrics[index]["AP"]
            values = (
                cost.parameters / 1e6,
                cost.multiply_adds / 1e9,
                1000 * cost.inference.seconds,
            )
            for axes, value in zip(panels, values, strict=True):
                _point(axes, value, ap, index, detector.name)
        for axes, label in zip(panels, ("parameters (M)", "GFLOPs", "ms per image"), strict=True):
            axes.set_xlabel(label)
            axes.margins(x=0.25, y=0.15)
        panels[0].set_ylabel("AP (%)")
        panels[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure)


def plot_training(comparison: Comparison) -> str | None:
    """Training loss and AP over time; None where there is no log."""
    if not any(curves.loss for detector in comparison.detectors for curves in detector.curves):
        return None
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(10, 3.4))
        left, right = figure.subplots(1, 2)
        for index, detector in enumerate(comparison.detectors):
            for number, curves in enumerate(detector.curves):
                label = detector.name if number == 0 else None
                _training(left, right, curves, color(index), label)
        left.set(xlabel="iteration", ylabel="training loss")
        right.set(xlabel="epoch or iteration of the evaluation", ylabel="AP (%)")
        for axes in (left, right):
            axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
        left.legend()
        return _svg(figure)


def _intervals(
    axes: Axes, estimates: Sequence[Estimate], shift: float, index: int, comparison: Comparison
) -> None:
    """One horizontal interval per row, filled where it leaves 0 out."""
    for row, estimate in enumerate(estimates):
        if estimate.low is None:
            continue
        shown = estimate.low > 0 or estimate.high < 0
        low, high, value = (100 * x for x in (estimate.low, estimate.high, estimate.value))
        label = f"{comparison.names[index]} - {comparison.names[0]}" if row == 0 else None
        axes.plot([low, high], [row + shift] * 2, color=color(index), linewidth=2)
        face = color(index) if shown else "white"
        style = dict(markerfacecolor=face, markeredgecolor=color(index), markeredgewidth=1.5)
        axes.plot(value, row + shift, "o", color=color(index), label=label, **style)


def _category_axis(axes: Axes, labels: Sequence[str]) -> None:
    axes.axvline(0, color="#555555", linewidth=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def _point(axes: Axes, value: float, ap: Estimate, index: int, name: str) -> None:
    if ap.low is None:
        return
    error = [[100 * (ap.value - ap.low)], [100 * (ap.high - ap.value)]]
    axes.errorbar(
        value, 100 * ap.value, yerr=error, fmt="o", capsize=4, color=color(index), label=name
    )


def _training(left: Axes, right: Axes, curves: Curves, shade: str, label: str | None) -> None:
    if curves.loss:
        left.plot(*zip(*curves.loss, strict=True), color=shade, label=label, linewidth=1.2)
    if curves.precision:
        steps, values = zip(*curves.precision, strict=True)
        right.plot(steps, [100 * value for value in values], "o-", color=shade, markersize=4)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
