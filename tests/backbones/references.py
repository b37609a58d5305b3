"""BN-Inception and ShuffleNet in plain torch, straight from their papers' tables of layers.

Their state dicts are those of the released files: of pretrainedmodels' BN-Inception, whose
convolutions have biases, and of mmpretrain's ShuffleNet, which shuffles behind the depthwise one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# module: 1x1, 3x3, double 3x3, projection; the first two numbers are missing at stride 2
_INCEPTION = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (0, 128, 160, 64, 96, 0),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128),
    "4e": (0, 128, 192, 192, 256, 0),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}


class PlainBNInception(nn.Module):
    """BN-Inception by the authors' prototxt; its maps C2 to C5 of even sizes."""

    def __init__(self) -> None:
        super().__init__()
        self._add("conv1_7x7_s2", 3, 64, 7)
        self._add("conv2_3x3_reduce", 64, 64, 1)
        self._add("conv2_3x3", 64, 192, 3)
        channels = 192
        for name, (one, reduce, three, reduce_2, double, project) in _INCEPTION.items():
            start = f"inception_{name}_"
            if one:
                self._add(start + "1x1", channels, one, 1)
            self._add(start + "3x3_reduce", channels, reduce, 1)
            self._add(start + "3x3", reduce, three, 3)
            self._add(start + "double_3x3_reduce", channels, reduce_2, 1)
            self._add(start + "double_3x3_1", reduce_2, double, 3)
            self._add(start + "double_3x3_2", double, double, 3)
            if project:
                self._add(start + "pool_proj", channels, project, 1)
            channels = one + three + double + (project or channels)
        self.last_linear = nn.Linear(channels, 1000)

    def _add(self, name: str, before: int, after: int, kernel: int) -> None:
        self.add_module(name, nn.Conv2d(before, after, kernel, padding=kernel // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(after))

    def _conv(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        conv, norm = getattr(self, name), getattr(self, f"{name}_bn")
        x = F.conv2d(x, conv.weight, conv.bias, stride, conv.padding)
        return F.relu(norm(x))

    def _inception(self, name: str, x: Tensor) -> Tensor:
        start, stride = f"inception_{name}_", 2 if name in ("3c", "4e") else 1
        wide = self._conv(start + "3x3", self._conv(start + "3x3_reduce", x), stride)
        double = self._conv(start + "double_3x3_reduce", x)
        double = self._conv(start + "double_3x3_1", double)
        double = self._conv(start + "double_3x3_2", double, stride)
        if stride == 2:
            return torch.cat([wide, double, F.max_pool2d(x, 3, 2, ceil_mode=True)], 1)
        pool = F.max_pool2d if name == "5b" else F.avg_pool2d
        pooled = self._conv(start + "pool_proj", pool(x, 3, 1, 1))
        return torch.cat([self._conv(start + "1x1", x), wide, double, pooled], 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.max_pool2d(self._conv("conv1_7x7_s2", x, 2), 3, 2, ceil_mode=True)
        maps = [self._conv("conv2_3x3", self._conv("conv2_3x3_reduce", x))]
        x = F.max_pool2d(maps[0], 3, 2, ceil_mode=True)
        for name in _INCEPTION:
            x = self._inception(name, x)
            if name in ("3b", "4d", "5b"):
                maps.append(x)
        return maps


def _conv_norm(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    layers = nn.Module()
    layers.conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers.bn = nn.BatchNorm2d(after)
    return layers


def _run(layers: nn.Module, x: Tensor) -> Tensor:
    return layers.bn(layers.conv(x))


class PlainShuffleUnit(nn.Module):
    """One unit of 3 groups, shuffled as mmpretrain does."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.stride, width = (1 if before == after else 2), after // 4
        branch = after if before == after else after - before
        self.g_conv_1x1_compress = _conv_norm(before, width, 1, groups=1 if before == 24 else 3)
        self.depthwise_conv3x3_bn = _conv_norm(width, width, 3, self.stride, groups=width)
        self.g_conv_1x1_expand = _conv_norm(width, branch, 1, groups=3)

    def forward(self, x: Tensor) -> Tensor:
        branch = F.relu(_run(self.g_conv_1x1_compress, x))
        branch = _run(self.depthwise_conv3x3_bn, branch)
        width = branch.shape[1] // 3
        order = [group * width + index for index in range(width) for group in range(3)]
        branch = _run(self.g_conv_1x1_expand, branch[:, order])
        if self.stride == 1:
            return F.relu(x + branch)
        return F.relu(torch.cat([F.avg_pool2d(x, 3, 2, 1), branch], 1))


class PlainShuffleNet(nn.Module):
    """ShuffleNet 1x of 3 groups by its paper's Table 1; its maps C2 to C5."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _conv_norm(3, 24, 3, 2)
        self.layers = nn.ModuleList()
        before = 24
        for after, units in ((240, 4), (480, 8), (960, 4)):
            first = PlainShuffleUnit(before, after)
            rest = [PlainShuffleUnit(after, after) for _ in range(units - 1)]
            self.layers.append(nn.Sequential(first, *rest))
            before = after

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = [F.max_pool2d(F.relu(_run(self.conv1, x)), 3, 2, 1)]
        for layer in self.layers:
            maps.append(layer(maps[-1]))
        return maps
