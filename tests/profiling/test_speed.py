from pathlib import Path

import pytest
import torch

from senet_mm.profiling.report import as_json, plot_ratios, speed_table
from senet_mm.profiling.speed import Speed, measure
from senet_mm.profiling.steps import Setting
from senet_mm.profiling.variants import (
    BASELINE,
    FOLDED,
    Policy,
    build_variant,
    finish,
    forward_of,
    settle,
    variant_names,
)

pytestmark = pytest.mark.slow


def setting(**options: object) -> Setting:
    defaults = dict(task="inference", part="backbone", frozen=True, precision="float32")
    defaults |= dict(layout="nchw", batch=1, size=(48, 32), depth=50)
    return Setting(**(defaults | options))


def test_which_variants_there_are() -> None:
    names = variant_names("backbone", depth=50, frozen=True)
    assert names[0] == BASELINE
    assert {"SE reference", "SE fused", "timm SE", BASELINE + FOLDED} < set(names)
    assert not any(FOLDED in name for name in variant_names("backbone", depth=50, frozen=False))
    assert not any("timm" in name for name in variant_names("detector", depth=50, frozen=True))
    assert "mmdet + SEBlock plugin" not in variant_names("backbone", depth=18, frozen=True)


def test_all_but_timms_compute_the_same() -> None:
    """So that a detector's proposals, and their number, are the same too."""
    images = torch.randn(2, 3, 48, 32)
    maps = {}
    for name in variant_names("backbone", depth=50, frozen=True):
        if "timm" in name:
            continue
        net = build_variant(name, "backbone", depth=50)
        settle(net, forward_of(name, net), images)
        Policy(frozen=True).apply(net, training=True)
        finish(name, net, "backbone")
        maps[name] = net(images)
        assert not net.conv1.weight.requires_grad and net.layer2[0].conv1.weight.requires_grad
    for name, values in maps.items():
        for ours, plain in zip(values, maps[BASELINE], strict=True):
            assert plain.std() > 0.1
            assert (ours - plain).norm() < 1e-3 * plain.norm(), name


def test_settled_statistics_are_those_of_the_images() -> None:
    net = build_variant(BASELINE, "backbone", depth=18)
    images = torch.randn(4, 3, 32, 32)
    settle(net, net, images)
    with torch.no_grad():
        y = net.conv1(images)
    assert torch.allclose(net.bn1.running_mean, y.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(net.bn1.running_var, y.var((0, 2, 3)), rtol=1e-4)
    assert net.bn1.momentum == 0.1


def test_training_policy_freezes_nothing() -> None:
    net = build_variant("SE fused", "backbone", depth=18)
    Policy(frozen=False).apply(net, training=True)
    assert net.bn1.training and all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("task", ["inference", "training"])
@pytest.mark.parametrize("precision", ["float32", "amp"])
def test_measure(task: str, precision: str) -> None:
    names = [BASELINE, "SE reference", "SE fused"]
    chosen = setting(task=task, precision=precision, layout="channels_last", depth=18)
    plain, reference, fused = measure(chosen, rounds=2, names=names)
    assert [one.name for one in (plain, reference, fused)] == names
    assert plain.ratio == 1 and plain.ratio_spread == 0
    assert all(one.seconds > 0 and one.peak is None for one in (plain, reference, fused))
    assert (plain.saved is None) == (task == "inference")
    if task == "training" and precision == "float32":  # autocast's copies of weights outweigh maps
        assert reference.saved > 1.05 * plain.saved
        assert fused.saved < reference.saved


def test_measure_a_detector() -> None:
    chosen = setting(task="training", part="detector", size=(64, 64), depth=18)
    (plain,) = measure(chosen, rounds=2, names=[BASELINE])
    assert plain.saved > 0 and plain.seconds > 0


def test_wrong_variants_are_named() -> None:
    for names in (["SE fused"], [BASELINE, "SE faster"]):
        with pytest.raises(ValueError, match=r"expected 'plain' and others of \['plain', 'SE ref"):
            measure(setting(), names=names)


def test_table_json_and_plot(tmp_path: Path) -> None:
    speeds = [
        Speed(BASELINE, 0.1, 0.001, 1.0, 0.0, 100_000_000, None),
        Speed("SE fused", 0.102, 0.001, 1.02, 0.01, 97_000_000, None),
    ]
    lines = speed_table(speeds).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2][1:] == ["100.0 ± 1.0", "1.000 ± 0.000", "100.0", "1.000", "-", "-"]
    assert cells[3][1:] == ["102.0 ± 1.0", "1.020 ± 0.010", "97.0", "0.970", "-", "-"]
    results = {setting(): speeds}
    assert as_json(results, "a machine")["results"][0]["speeds"][1]["ratio"] == 1.02
    plot_ratios(results, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert setting().title == "R50 backbone, inference, float32, nchw, 1x48x32, cpu"
