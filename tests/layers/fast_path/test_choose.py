"""Which path a residual unit takes, and the reason that is given."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from senet_mm.backbones import SEResNet
from senet_mm.backbones.se_resnet import SEBasicBlock, SEBottleneck
from senet_mm.layers import SEResidualMixin
from senet_mm.layers.fast_path import Choice, Path, choose


def choice_of(unit: SEResidualMixin, x: torch.Tensor) -> Choice:
    """The choice of a unit for an input, without running its end."""
    shortcut = x if unit.downsample is None else unit.downsample(x)
    return choose(unit.tail(), unit.first(x), shortcut)


def hook(name: str) -> Callable[[nn.Module], None]:
    return lambda unit: getattr(unit, name).register_forward_hook(lambda *args: None)


CONTEXT = dict(type="ContextBlock", ratio=0.25)
CASES = {
    "fastest": ({}, None, Path.CONV, ""),
    "small map": (dict(stride=4), None, Path.NORM, "no larger than twice its channels"),
    "training": ({}, lambda unit: unit.train(), Path.BATCH_NORM, "statistics of each batch"),
    "GN": (dict(norm_cfg=dict(type="GN", num_groups=4)), None, Path.GATE, "GroupNorm"),
    "SyncBN": (dict(norm_cfg=dict(type="SyncBN")), lambda u: u.train(), Path.GATE, "SyncBN in"),
    "max": (dict(se_cfg=dict(squeeze="max")), None, Path.GATE, "squeeze is no mean"),
    "plugin": (
        dict(plugins=[dict(cfg=CONTEXT, position="after_conv3")]),
        None,
        Path.GATE,
        "plugins lie between",
    ),
    "conv": ({}, hook("conv3"), Path.GATE, "convolution or norm is hooked"),
    "norm": ({}, hook("bn3"), Path.GATE, "convolution or norm is hooked"),
    "SE": ({}, hook("se"), Path.REFERENCE, "SE or the activation is hooked"),
    "relu": ({}, hook("relu"), Path.REFERENCE, "SE or the activation is hooked"),
    "removed": ({}, lambda unit: unit.remove_se(), Path.REFERENCE, "there is no SE"),
    "fused": (dict(se_cfg=dict(fused=False)), None, Path.REFERENCE, "fused=False"),
    "pre": (dict(se_cfg=dict(placement="pre")), None, Path.REFERENCE, "placement='pre'"),
    "branch": (dict(se_cfg=dict(branch_relu=True)), None, Path.REFERENCE, "branch_relu=True"),
    "none": (dict(se_cfg=dict(squeeze="none")), None, Path.REFERENCE, "gates are maps"),
}


@pytest.mark.parametrize("case", CASES)
def test_path_and_reason(case: str) -> None:
    options, change, path, reason = copy.deepcopy(CASES[case])
    unit = SEBottleneck(64, 16, **(dict(se_cfg={}) | options))
    unit.eval()
    if change:
        change(unit)
    chosen = choice_of(unit, torch.randn(2, 64, 9, 9))
    assert chosen.path is path
    assert reason in chosen.reason and bool(reason) == bool(chosen.reason)


def test_a_basic_block_says_why_its_convolution_stays() -> None:
    unit = SEBasicBlock(16, 16, se_cfg={})
    unit.eval()
    chosen = choice_of(unit, torch.randn(2, 16, 9, 9))
    assert chosen == (Path.NORM, "the convolution is (3, 3) with groups=1")


def test_every_unit_of_a_backbone_can_be_asked() -> None:
    """As a report on a net would: on a pass, from outside."""
    net, chosen = SEResNet(50, se_cfg=[{}, dict(blocks=(0,)), None, {}]), {}
    net.eval()
    for name, unit in net.named_modules():
        if isinstance(unit, SEResidualMixin):
            unit.register_forward_pre_hook(
                lambda unit, inputs, name=name: chosen.update({name: choice_of(unit, *inputs)})
            )
    with torch.no_grad():
        net(torch.randn(1, 3, 128, 128))
    assert len(chosen) == 16
    assert {chosen[f"layer1.{unit}"].path for unit in range(3)} == {Path.CONV}
    assert chosen["layer2.1"].reason == chosen["layer3.0"].reason == "there is no SE"
    assert chosen["layer4.0"].path is Path.NORM
