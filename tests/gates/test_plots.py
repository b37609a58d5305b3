"""The figures are drawn from the statistics; what they look like is looked at."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

from senet_mm.gates import plots as gate_plots
from senet_mm.gates.plots import plot_figures
from senet_mm.gates.statistics import GateStatistics
from senet_mm.io.figures import add_legend


@pytest.fixture
def statistics() -> GateStatistics:
    """Five blocks of 80 channels over 12 images."""
    ours = GateStatistics(["cat", "dining table", "dog", "unseen", "bird", "cow"])
    gates = {f"SE_2_{i}": torch.rand(12, 80) for i in range(1, 6)}
    ours.add(gates, [{0, 1, 2, 4, 5}] * 2 + [{0}] * 3 + [{1, 2}] * 3 + [{4, 2}] * 4)
    return ours


@pytest.mark.slow
def test_default_classes_are_the_most_frequent(statistics, tmp_path: Path) -> None:
    paths = plot_figures(statistics, None, tmp_path)
    assert [path.name for path in paths] == [
        "figure6.png",
        "figure7_dog.png",
        "figure7_bird.png",
        "figure7_cat.png",
        "figure7_dining_table.png",
        "figure7_all.png",
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


@pytest.mark.slow
def test_lines_are_the_means_of_50_even_channels(statistics, tmp_path, monkeypatch) -> None:
    drawn, bands, legends = [], [], []
    plot, fill = Axes.plot, Axes.fill_between

    def watch_plot(axes, x, y, **style):
        drawn.append(np.asarray(y))
        return plot(axes, x, y, **style)

    def watch_fill(axes, x, low, high, **style):
        bands.append((np.asarray(low), np.asarray(high)))
        return fill(axes, x, low, high, **style)

    def watch_legend(figure, handles, **options):
        legends.append([text.get_text() for text in add_legend(figure, handles, **options).texts])
        return figure.legends[-1]

    monkeypatch.setattr(gate_plots, "add_legend", watch_legend)
    monkeypatch.setattr(Axes, "plot", watch_plot)
    monkeypatch.setattr(Axes, "fill_between", watch_fill)
    plot_figures(statistics, ["cow", "unseen"], tmp_path)
    channels = np.round(np.linspace(0, 79, 50)).astype(int)
    figure6, rest = drawn[:15], drawn[15:]
    assert legends[0] == ["all (12 images)", "cow (2 images)", "unseen (0 images)"]
    assert legends[1:] == [["± 1 std", "mean"]] * 3
    np.testing.assert_allclose(figure6[1], statistics.mean("SE_2_1")[6, channels])
    np.testing.assert_allclose(figure6[0], statistics.mean("SE_2_1")[0, channels])
    assert len(rest) == len(bands) == 3 * 5
    mean, variance = statistics.mean("SE_2_2")[6], statistics.variance("SE_2_2")[6]
    low, high = bands[1]
    np.testing.assert_allclose(low, (mean - variance.sqrt())[channels])
    np.testing.assert_allclose(high, (mean + variance.sqrt())[channels])
