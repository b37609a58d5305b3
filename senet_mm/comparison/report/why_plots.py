"""The plots of why detectors differ, as SVG."""

from __future__ import annotations

import matplotlib
from matplotlib.figure import Figure

from ...coco.calibration import EDGES
from ...coco.error_types import ALL_ERRORS
from ..comparison import Comparison
from .plots import STYLE, category_axis, color, draw_intervals, keys_of, legend_above, line, svg


def plot_errors(comparison: Comparison) -> str:
    """What each error type costs, side by side, and the differences with their intervals."""
    numbers, names = comparison.explanation.error_types, comparison.names
    total, others = len(names), len(names) - 1
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 0.9 + 0.36 * len(ALL_ERRORS) * max(1, 0.4 * total)))
        left, right = figure.subplots(1, 2, sharey=True)
        height = 0.8 / total
        for index, effects in enumerate(numbers.detectors):
            rows = [row + height * (index - (total - 1) / 2) for row in range(len(ALL_ERRORS))]
            widths = [100 * (effects[name].value or 0) for name in ALL_ERRORS]
            left.barh(rows, widths, height=0.9 * height, color=color(index))
        for index, differences in enumerate(numbers.differences, start=1):
            draw_intervals(right, [differences[name] for name in ALL_ERRORS], index, others)
        for axes in (left, right):
            category_axis(axes, ALL_ERRORS)
            axes.axhline(5.5, color="#bbbbbb", linewidth=1)  # before the two that are sums
        left.set_xlabel("AP50 lost, percentage points")
        right.set_xlabel(f"more or less than {names[0]}, percentage points")
        legend_above(left, keys_of(comparison, range(total), marker="s"))
        return svg(figure)


def plot_reliability(comparison: Comparison) -> str:
    """Precision over the score: below the diagonal, scores are too high."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.4))
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], [0, 1], color="#999999", linewidth=1)
        middles = (EDGES[1:] + EDGES[:-1]) / 2
        for index, curve in enumerate(comparison.explanation.reliability):
            left.plot(curve["mean_score"], curve["precision"], marker="o", **line(index))
            right.plot(middles, curve["count"], marker="o", **line(index))
        left.set(xlabel="mean score", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        right.set(xlabel="score", ylabel="detections", xlim=(0, 1), yscale="symlog")
        right.set_ylim(bottom=0)
        right.yaxis.set_major_formatter("{x:,.0f}")  # powers would be formulas
        legend_above(left, keys_of(comparison, range(len(comparison.names)), marker="o"))
        return svg(figure)
