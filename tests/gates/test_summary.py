"""The table and the suggestion on gates made by hand."""

import pytest
import torch
from torch import nn

from senet_mm.gates.statistics import GateStatistics, find_blocks
from senet_mm.gates.summary import as_json, saturation_table, suggest, suggestion, summarize
from senet_mm.layers import SEBlock


@pytest.fixture
def rows():
    """Three blocks: constant and saturated, varying, and one that cannot be dropped."""
    model = nn.Module()
    for path in ("layer1.0", "layer1.1"):
        stage, unit = path.split(".")
        parent = getattr(model, stage, None) or nn.ModuleDict()
        setattr(model, stage, parent)
        parent[unit] = nn.ModuleDict(dict(se=SEBlock(4, reduction=2)))
    model.neck = nn.ModuleDict(dict(gates=nn.ModuleList([SEBlock(4, reduction=2)])))
    statistics = GateStatistics(["cat", "dog"])
    gates = {
        "SE_2_1": [[0.95, 0.95, 0.05, 0.51]] * 4,
        "SE_2_2": [[0.2, 0.4, 0.6, 0.8], [0.4, 0.4, 0.6, 0.8]] * 2,
        "neck_0": [[0.5] * 4] * 4,
    }
    statistics.add({k: torch.tensor(v) for k, v in gates.items()}, [{0}, {1}, {0}, {1}])
    return summarize(find_blocks(model), statistics, {"neck_0": "in a neck"}), statistics


def test_numbers(rows) -> None:
    first, second, neck = rows[0]
    assert (first.name, first.path, first.stage, first.channels) == ("SE_2_1", "layer1.0.se", 2, 4)
    assert first.parameters == neck.parameters == 2 * 4 * 2 + 2 + 4
    assert (first.near_zero, first.near_one, first.deviation) == (0.25, 0.5, 0.0)
    assert first.mean == pytest.approx(0.615)
    # of SE_2_2's channels one varies, by 0.1 around 0.3, and only with the class
    assert second.between_classes == pytest.approx(0.01 / 4)
    assert second.within_class == pytest.approx(0, abs=1e-12)
    mean_square = (0.3**2 + 0.4**2 + 0.6**2 + 0.8**2) / 4
    assert second.deviation == pytest.approx((0.01 / 4 / mean_square) ** 0.5)
    assert neck.stage is None


def test_suggestion(rows) -> None:
    rows, statistics = rows
    assert suggest(rows, 0.05) == ["SE_2_1"]
    assert suggest(rows, 0.2) == ["SE_2_1", "SE_2_2"]
    text = suggestion(rows, 0.05, 1000)
    assert "Suggested to lose their SE: SE_2_1. That saves 22 (2.20%)." in text
    assert "whole stages" not in text and "cannot: in a neck" in text
    assert "whole stages: stage2. That saves 44 (4.40%)." in suggestion(rows, 0.2, 1000)
    assert "No block that can be dropped is below" in suggestion(rows[1:], 0.05, 1000)
    numbers = as_json(rows, statistics, ["SE_2_1"])
    assert numbers["images"] == dict(all=4, cat=2, dog=2)
    assert numbers["blocks"][0]["near_one"] == 0.5


def test_table(rows) -> None:
    lines = saturation_table(rows[0]).splitlines()
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells == [
        "SE_2_1", "4", "22", "0.615", "25.0%", "50.0%", "0.00e+00", "0.00e+00", "0.0%",
    ]  # fmt: skip
    assert len(lines) == 5
