"""Folded nets compute the same, plain and SE."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from mmcv.cnn import ConvModule
from mmdet.models.backbones import ResNet
from torch import Tensor, nn

from senet_mm.backbones import SEResNet, SEResNeXt
from senet_mm.layers import SEBlock, attach_se
from senet_mm.layers.fuse import fuse_for_inference

Randomize = Callable[[nn.Module], nn.Module]


class SharedConv(nn.Module):
    """Two norms behind one convolution, as heads have them that share it among levels."""

    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(3, 4, 3)
        self.branches = nn.ModuleList(nn.Sequential(conv, nn.BatchNorm2d(4)) for _ in range(2))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [branch(x) for branch in self.branches]


class ReadTwice(nn.Module):
    """What the convolution gives is read by more than the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.norm(y) + y


class Scaled(nn.Conv2d):
    """A convolution that is none of its weights alone."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) ** 2


def norms(net: nn.Module) -> int:
    return sum(isinstance(one, nn.modules.batchnorm._BatchNorm) for one in net.modules())


def assert_same(net: nn.Module, left: int, x: Tensor | None = None) -> None:
    """A net computes the same to 1e-5 of its largest value when it is folded, and keeps norms."""
    net.eval()
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) if x is None else x
    with torch.no_grad():
        before = net(x)
        assert fuse_for_inference(net) is net
        after = net(x)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=1e-5 * float(one.abs().max()))
    assert norms(net) == left


NETS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "plain r18": (lambda: ResNet(18), 0),
    "plain r50": (lambda: ResNet(50), 0),
    # the last norm of each unit is folded with its gate, at each call
    "se r18": (lambda: SEResNet(18), 8),
    "se r50": (lambda: SEResNet(50), 16),
    "se x50": (lambda: SEResNeXt(depth=50, groups=32, base_width=4), 16),
    "reference": (lambda: SEResNet(18, se_cfg=dict(fused=False)), 0),
    "pre": (lambda: SEResNet(18, se_cfg=dict(placement="pre")), 0),
}


@pytest.mark.parametrize("name", NETS)
def test_computes_the_same(name: str, randomize: Randomize) -> None:
    build, left = NETS[name]
    assert_same(randomize(build()), left)


@pytest.mark.parametrize("net", [SharedConv(), ReadTwice()], ids=["shared", "read twice"])
def test_leaves_what_others_read(net: nn.Module, randomize: Randomize) -> None:
    assert_same(randomize(net), norms(net))


@pytest.mark.parametrize(
    "parts",
    [
        [Scaled(3, 4, 3), nn.BatchNorm2d(4)],
        [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)],
        [nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4)],
    ],
    ids=["convolution", "statistics", "norm"],
)
def test_leaves_what_is_something_else(parts: list[nn.Module], randomize: Randomize) -> None:
    net = randomize(nn.Sequential(*parts))
    assert_same(net, norms(net))


@pytest.mark.parametrize(
    ("order", "left"), [(("conv", "norm", "act"), 0), (("norm", "conv", "act"), 1)]
)
def test_modules_of_mmcv(order: tuple[str, ...], left: int, randomize: Randomize) -> None:
    net = ConvModule(3, 3, 3, norm_cfg=dict(type="BN"), order=order)
    assert_same(randomize(net), left)


def test_a_norm_with_se_attached_keeps_it(randomize: Randomize) -> None:
    net: Any = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ReLU())
    attach_se(net, ["1"], dict(reduction=4))
    assert any(isinstance(module, SEBlock) for module in net.modules())
    assert_same(randomize(net), 1)
