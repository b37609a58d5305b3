"""The paper's Figures 6 and 7: gates by class, one panel per block."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..io.figures import add_legend
from .statistics import ALL, GateStatistics

# as many evenly spaced channels of each block as the paper draws
_CHANNELS = 50
_COLUMNS = 4
_PANEL = (4.0, 2.3)  # inches
_MARGIN = 0.8  # inches above the panels, for title and legend


def plot_figures(
    statistics: GateStatistics, classes: Sequence[str] | None, out_dir: Path
) -> list[Path]:
    """Draw Fig. 6, and Fig. 7 for each class and all images.

    Args:
        statistics: The gates.
        classes: Classes to draw; None for the four that the most images show.
        out_dir: Where the pictures go.

    Returns:
        Paths of the pictures.
    """
    classes = _most_frequent(statistics) if classes is None else classes
    paths = [out_dir / "figure6.png"]
    plot_class_means(statistics, classes, paths[0])
    for group in (*classes, ALL):
        stem = re.sub(r"\W+", "_", group)
        paths.append(out_dir / f"figure7_{stem}.png")
        plot_instances(statistics, group, paths[-1])
    return paths


def plot_class_means(statistics: GateStatistics, classes: Sequence[str], path: Path) -> None:
    """Fig. 6: the mean gate of each channel per class, and over all images.

    Args:
        statistics: The gates.
        classes: Classes to draw.
        path: The PNG to write.
    """

    def draw(axes: Axes, name: str, channels: list[int]) -> dict[str, Artist]:
        mean = statistics.mean(name)[:, channels]
        handles: dict[str, Artist] = {}
        for group in (ALL, *classes):
            # below the classes, which it would hide where they agree
            style = dict(color="0.6", linewidth=3.5) if group == ALL else dict(linewidth=1.0)
            row = statistics.groups.index(group)
            (curve,) = axes.plot(range(len(channels)), mean[row], **style)
            handles[_label(statistics, group)] = curve
        return handles

    _panels(statistics, draw, "Mean gate per channel, by the classes in the image", path)


def plot_instances(statistics: GateStatistics, group: str, path: Path) -> None:
    """Fig. 7: mean and standard deviation of the gates over the images of a class.

    Args:
        statistics: The gates.
        group: A class, or ``all``.
        path: The PNG to write.
    """
    row = statistics.groups.index(group)

    def draw(axes: Axes, name: str, channels: list[int]) -> dict[str, Artist]:
        mean = statistics.mean(name)[row, channels]
        deviation = statistics.variance(name)[row, channels].sqrt()
        x = range(len(channels))
        band = axes.fill_between(x, mean - deviation, mean + deviation, alpha=0.35)
        (curve,) = axes.plot(x, mean, linewidth=1.2)
        return {"± 1 std": band, "mean": curve}

    title = f"Gates over the images with {_label(statistics, group)}"
    if group == ALL:
        title = f"Gates over {_label(statistics, group)}"
    _panels(statistics, draw, title, path)


def _most_frequent(statistics: GateStatistics, number: int = 4) -> list[str]:
    counts = statistics.counts[1:]
    order = torch.argsort(counts, descending=True, stable=True)[:number]
    return [statistics.groups[1 + index] for index in order.tolist() if counts[index] > 0]


def _label(statistics: GateStatistics, group: str) -> str:
    count = int(statistics.counts[statistics.groups.index(group)])
    return f"{group} ({count} image{'' if count == 1 else 's'})"


def _panels(
    statistics: GateStatistics,
    draw: Callable[[Axes, str, list[int]], dict[str, Artist]],
    title: str,
    path: Path,
) -> None:
    names = statistics.names
    rows = math.ceil(len(names) / _COLUMNS)
    columns = min(_COLUMNS, len(names))
    size = (_PANEL[0] * max(columns, 2), _PANEL[1] * rows + _MARGIN)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, name in zip(grid.flat, names, strict=False):
        count = statistics.mean(name).shape[1]
        channels = torch.linspace(0, count - 1, min(_CHANNELS, count)).round().int().tolist()
        handles = draw(axes, name, channels)
        axes.set_title(f"{name}  ({count} channels)", fontsize=10)
        ticks = [*range(0, len(channels), 10), len(channels) - 1]
        axes.set_xticks(ticks, [channels[tick] for tick in ticks], fontsize=8)
        axes.margins(x=0.01)
        axes.grid(alpha=0.3)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    low, high = grid.flat[0].get_ylim()
    grid.flat[0].set_ylim(min(low, 0), max(high, 1))
    for axes in grid[:, 0]:
        axes.set_ylabel("gate")
    for axes in grid.flat[: len(names)][-columns:]:
        axes.set_xlabel("channel")
    legend = add_legend(
        figure,
        handles,
        title=title,
        loc="outside upper center",
        ncols=min(len(handles), 2 * columns),
        frameon=False,
    )
    legend.get_title().set_parse_math(False)
    figure.savefig(path, dpi=100)
