"""Seeded residual units, their reference, and how the two are compared."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from senet_mm.backbones.se_resnet import SEBasicBlock, SEBottleneck
from senet_mm.backbones.se_resnext import SEResNeXtBottleneck
from senet_mm.layers import SEResidualMixin

UNITS = {
    "basic": (SEBasicBlock, {}),
    "bottleneck": (SEBottleneck, {}),
    "resnext": (SEResNeXtBottleneck, dict(groups=4, base_width=16)),
}
WIDTH = {"basic": 16, "bottleneck": 64, "resnext": 64}


def make(
    family: str,
    *,
    stride: int = 1,
    project: bool = False,
    training: bool = False,
    seed: int = 0,
    **options: object,
) -> nn.Module:
    """A seeded unit in float64."""
    torch.manual_seed(seed)
    block, extra = UNITS[family]
    width = WIDTH[family]
    downsample = None
    if project:
        downsample = nn.Sequential(
            nn.Conv2d(width, width, 1, stride, bias=False), nn.BatchNorm2d(width)
        )
    se_cfg = dict(reduction=4) | options.pop("se_cfg", {})
    unit = block(
        width, 16, stride=stride, downsample=downsample, se_cfg=se_cfg, **extra, **options
    ).double()
    for module in unit.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, -0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
    unit.train(training)
    return unit


def reference(unit: nn.Module) -> nn.Module:
    """A copy of a unit or backbone without the fast path."""
    twin = copy.deepcopy(unit)
    for module in twin.modules():
        if isinstance(module, SEResidualMixin):
            module.se_cfg = replace(module.se_cfg, fused=False)
    return twin


def gradients(net: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """The output and every gradient, by name."""
    x = x.detach().requires_grad_()
    out = net(x)
    outs = out if isinstance(out, tuple) else (out,)
    generator = torch.Generator().manual_seed(1)
    loss = sum(
        (value * torch.randn(value.shape, generator=generator, dtype=torch.float64)).sum()
        for value in outs
    )
    named = dict(net.named_parameters())
    named = {"x": x} | {name: value for name, value in named.items() if value.requires_grad}
    grads = torch.autograd.grad(loss, list(named.values()))
    return {f"out{i}": value for i, value in enumerate(outs)} | dict(zip(named, grads, strict=True))


def assert_equal(ours: dict[str, Tensor], theirs: dict[str, Tensor], tolerance: float) -> None:
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype, name
        assert (ours[name] - value).norm() <= tolerance * value.norm(), name
