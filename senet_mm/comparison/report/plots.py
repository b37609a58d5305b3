"""The plots of a comparison, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...coco.interpolation import RECALLS
from ...coco.metrics import METRICS
from ...io.figures import add_legend
from ...statistics.estimate import Estimate
from ..comparison import Comparison
from ..curves import Curves

# a palette that colour-blind people can tell apart (Okabe and Ito)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLE: dict[Any, Any] = {
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
    "text.parse_math": False,  # a $ in a name is no formula
}
_WIDTH = 6.2  # inches of a single panel; on a telephone its text is small and still readable
_LONG_NAME = 25  # letters; two of them would not stand side by side
_LINES = ("-", "--", ":", "-.")  # each with all colours
_METRIC_NAMES = {"APs": "AP small", "APm": "AP medium", "APl": "AP large"}


def color(index: int) -> str:
    """The colour of a detector."""
    return COLORS[index % len(COLORS)]


def line(index: int) -> dict[str, Any]:
    """Colour and style of a detector's lines."""
    return dict(color=color(index), linestyle=_LINES[index // len(COLORS) % len(_LINES)])


def plot_differences(comparison: Comparison) -> str:
    """Difference to the baseline with its interval, per metric and size."""
    others = comparison.bootstrap.differences
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(_WIDTH, 0.9 + 0.34 * len(METRICS) * max(1, 0.7 * len(others))))
        axes = figure.subplots()
        labels = [_METRIC_NAMES.get(name, name) for name in METRICS]
        for index, differences in enumerate(others, start=1):
            estimates = [differences[name] for name in METRICS]
            draw_intervals(axes, estimates, index, len(others))
        category_axis(axes, labels)
        axes.set_xlabel(f"difference to {comparison.names[0]}, percentage points")
        difference_legend(axes, comparison)
        return svg(figure)


def plot_precision_recall(comparison: Comparison) -> str:
    """Precision over recall, the mean over the classes, at three choices of IoU."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.4))
        panels = figure.subplots(1, 3, sharey=True)
        for axes, key in zip(panels, ("0.50", "0.75", "0.50:0.95"), strict=True):
            for index, detector in enumerate(comparison.detectors):
                axes.plot(RECALLS, detector.precision[key], **line(index))
            axes.set(title=f"IoU {key}", xlabel="recall", xlim=(0, 1), ylim=(0, 1.02))
        panels[0].set_ylabel("precision")
        legend_above(panels[0], keys_of(comparison, range(len(comparison.detectors))), 1.1)
        return svg(figure)


def plot_classes(comparison: Comparison) -> str:
    """Difference of each class' AP to the baseline's, sorted by the first."""
    bootstrap = comparison.bootstrap
    first = bootstrap.class_differences[0]
    order = [index for index, estimate in enumerate(first) if estimate.value is not None]
    order.sort(key=lambda index: -(first[index].value or 0.0))
    with matplotlib.rc_context(STYLE):
        others = len(bootstrap.class_differences)
        figure = Figure(figsize=(_WIDTH, 1 + 0.22 * len(order) * max(1, 0.5 * others)))
        axes = figure.subplots()
        for index, differences in enumerate(bootstrap.class_differences, start=1):
            draw_intervals(axes, [differences[i] for i in order], index, others)
        category_axis(axes, [bootstrap.classes[index] for index in order])
        axes.set_xlabel(f"AP difference to {comparison.names[0]}, percentage points")
        difference_legend(axes, comparison)
        return svg(figure)


def plot_cost(comparison: Comparison) -> str | None:
    """AP with its interval against parameters, FLOPs and time; None where no cost is known."""
    shown = [
        (index, detector.cost)
        for index, detector in enumerate(comparison.detectors)
        if detector.cost is not None
    ]
    if not shown:
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.2))
        panels = figure.subplots(1, 3, sharey=True)
        for index, cost in shown:
            ap = comparison.bootstrap.metrics[index]["AP"]
            values = (
                cost.parameters / 1e6,
                cost.inference.multiply_adds / 1e9,
                1000 * cost.inference.seconds,
            )
            for axes, value in zip(panels, values, strict=True):
                _point(axes, value, ap, index)
        for axes, label in zip(panels, ("parameters (M)", "GFLOPs", "ms per image"), strict=True):
            axes.set_xlabel(label)
            axes.margins(x=0.25, y=0.15)
        panels[0].set_ylabel("AP (%)")
        handles = keys_of(comparison, [index for index, _ in shown], marker="o")
        add_legend(panels[-1], handles, loc="center left", bbox_to_anchor=(1, 0.5))
        return svg(figure)


def plot_training(comparison: Comparison) -> str | None:
    """Training loss and AP over time; None where there is no log."""
    if not any(curves.loss for detector in comparison.detectors for curves in detector.curves):
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.4))
        left, right = figure.subplots(1, 2)
        for index, detector in enumerate(comparison.detectors):
            for curves in detector.curves:
                _training(left, right, curves, index)
        left.set(xlabel="iteration", ylabel="training loss")
        right.set(
            xlabel="epoch or iteration of the evaluation", ylabel=f"{comparison.iou_type} AP (%)"
        )
        for axes in (left, right):
            axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
        trained = [i for i, d in enumerate(comparison.detectors) if any(c.loss for c in d.curves)]
        add_legend(left, keys_of(comparison, trained))
        return svg(figure)


def keys_of(
    comparison: Comparison, indices: Sequence[int], marker: str | None = None
) -> dict[str, Line2D]:
    """What stands for detectors in a legend, by name."""
    return {comparison.names[i]: Line2D([], [], marker=marker, **line(i)) for i in indices}


def legend_above(
    axes: Axes, keys: Mapping[str, Line2D], height: float = 1.0, *, ncols: int = 3
) -> None:
    """A legend above the axes (or ``height`` of them, over a title), where it covers nothing."""
    add_legend(axes, keys, loc="lower left", bbox_to_anchor=(0, height), ncols=ncols)


def difference_legend(axes: Axes, comparison: Comparison) -> None:
    """Say which colour is which detector's, where there are several but the baseline."""
    names = comparison.names
    if len(names) > 2:
        keys = keys_of(comparison, range(1, len(names)), marker="o")
        # no wider than the plot, which would get smaller on a telephone
        legend_above(axes, keys, ncols=2 if max(map(len, names[1:])) < _LONG_NAME else 1)


def draw_intervals(axes: Axes, estimates: Sequence[Estimate], index: int, others: int) -> None:
    """One horizontal interval per row, filled where it leaves 0 out; ``others`` share a row.

    A small point has none, as it rests on too few images.
    """
    shift = min(0.22, 0.8 / others) * (index - (others + 1) / 2)
    for row, estimate in enumerate(estimates):
        if estimate.value is None:
            continue
        if estimate.interval is None:
            axes.plot(100 * estimate.value, row + shift, ".", markersize=4, color=color(index))
            continue
        low, high = (100 * end for end in estimate.interval)
        axes.plot([low, high], [row + shift] * 2, linewidth=2, **line(index))
        face = color(index) if estimate.leaves_zero_out else "white"
        axes.plot(
            100 * estimate.value,
            row + shift,
            "o",
            markerfacecolor=face,
            markeredgecolor=color(index),
            markeredgewidth=1.5,
        )


def category_axis(axes: Axes, labels: Sequence[str]) -> None:
    """Rows from top to bottom, with a line at 0."""
    axes.axvline(0, color="#555555", linewidth=1)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def _point(axes: Axes, value: float, ap: Estimate, index: int) -> None:
    if ap.value is None:
        return
    if ap.interval is not None:
        # no error bar: the value may lie outside of its interval
        axes.plot([value] * 2, [100 * end for end in ap.interval], marker="_", **line(index))
    axes.plot(value, 100 * ap.value, "o", color=color(index))


def _training(left: Axes, right: Axes, curves: Curves, index: int) -> None:
    if curves.loss:
        left.plot(*zip(*curves.loss, strict=True), linewidth=1.2, **line(index))
    if curves.precision:
        steps, values = zip(*curves.precision, strict=True)
        right.plot(
            steps, [100 * value for value in values], marker="o", markersize=4, **line(index)
        )


def svg(figure: Figure) -> str:
    """The figure's element."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
