"""A residual unit of two branches that are mixed at random (arXiv 1705.07485)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .shake import ShakeShake
from .three_stages import conv, norm


class TwoHalves(BaseModule):
    """A shortcut of two 1x1 convolutions, of the map and of the map shifted by one pixel.

    At stride 2 the one sees even positions and the other odd ones.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output; each convolution makes half of them.
        stride: 2 to halve the map.
        norm_cfg: Config of the norm layer.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, norm_cfg: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.conv1 = conv(in_channels, out_channels // 2, 1, stride)
        self.conv2 = conv(in_channels, out_channels // 2, 1, stride)
        self.norm = norm(norm_cfg, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        shifted = F.pad(x, (1, -1, 1, -1))  # to the right and down
        return self.norm(torch.cat([self.conv1(x), self.conv2(shifted)], dim=1))


class ShakeUnit(BaseModule):
    """``shortcut(x) + shake(branch1(x), branch2(x))``, with nothing after the sum.

    Each convolution of a branch stands between a ReLU and a norm.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Of the unit.
        groups: Groups of a bottleneck's 3x3 convolution.
        width: Channels between the 1x1 convolutions of a bottleneck; None: a branch is two 3x3.
        backward: See :class:`.shake.ShakeShake`.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing the unit twice.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        groups: int = 1,
        width: int | None = None,
        backward: str,
        norm_cfg: Mapping[str, Any],
        with_cp: bool,
    ) -> None:
        super().__init__()
        self.with_cp = with_cp

        def branch() -> nn.Module:
            if width is None:
                convs = [
                    conv(in_channels, out_channels, 3, stride),
                    conv(out_channels, out_channels, 3),
                ]
            else:
                convs = [
                    conv(in_channels, width, 1),
                    conv(width, width, 3, stride, groups),
                    conv(width, out_channels, 1),
                ]
            layers = Sequential()
            for number, layer in enumerate(convs, start=1):
                # the first one's input is the shortcut's too
                layers.add_module(f"relu{number}", nn.ReLU(inplace=number > 1))
                layers.add_module(f"conv{number}", layer)
                layers.add_module(f"norm{number}", norm(norm_cfg, layer.out_channels))
            return layers

        self.branch1 = branch()
        self.branch2 = branch()
        self.shake = ShakeShake(backward)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = TwoHalves(in_channels, out_channels, stride, norm_cfg)

    def forward(self, x: Tensor) -> Tensor:
        """A map of shape (N, C, H, W) to one of the output's channels, halved by stride 2."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._forward, x, use_reentrant=False)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.shake(self.branch1(x), self.branch2(x))
