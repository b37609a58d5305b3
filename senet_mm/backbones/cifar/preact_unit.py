"""A residual unit with full pre-activation (arXiv 1603.05027)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .three_stages import conv, norm


class ZeroPad(nn.Module):
    """A shortcut without parameters: every other position, and zeros as the new channels.

    Args:
        new_channels: How many channels the map gets.
        stride: 2 to halve it.
    """

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.new_channels = new_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.new_channels))


class PreActUnit(BaseModule):
    """Norm and ReLU before each convolution, nothing after the sum.

    ``branch`` is what is added to the shortcut, from the first convolution to the last one.

    Attributes:
        activates_shortcut: Whether the shortcut begins behind the first norm and ReLU, as one with
            a convolution does, and that of a network's first unit (appendix there).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        stride: Of the unit; the first convolution has it.
        bottleneck: Whether the branch is 1x1, 3x3 on a quarter of the channels, 1x1; else it is
            two 3x3.
        conv_shortcut: Whether channels are added by a 1x1 convolution of the activated input;
            else by zeros.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing the unit twice.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        bottleneck: bool,
        conv_shortcut: bool,
        norm_cfg: Mapping[str, Any],
        with_cp: bool,
    ) -> None:
        super().__init__()
        self.with_cp = with_cp
        self.norm1 = norm(norm_cfg, in_channels)
        self.relu = nn.ReLU(inplace=True)
        width = out_channels // 4 if bottleneck else out_channels
        self.branch = Sequential()
        self.branch.add_module("conv1", conv(in_channels, width, 1 if bottleneck else 3, stride))
        later = [(width, 3), (out_channels, 1)] if bottleneck else [(out_channels, 3)]
        for number, (after, kernel) in enumerate(later, start=2):
            self.branch.add_module(f"norm{number}", norm(norm_cfg, width))
            self.branch.add_module(f"relu{number}", nn.ReLU(inplace=True))
            self.branch.add_module(f"conv{number}", conv(width, after, kernel))
        self.shortcut: nn.Module = nn.Identity()
        self.activates_shortcut = False
        if in_channels != out_channels:
            if conv_shortcut:
                self.shortcut = conv(in_channels, out_channels, 1, stride)
                self.activates_shortcut = True
            else:
                self.shortcut = ZeroPad(out_channels - in_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """A map of shape (N, C, H, W) to one of the output's channels, halved by stride 2."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._forward, x, use_reentrant=False)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        activated = self.relu(self.norm1(x))
        shortcut = self.shortcut(activated if self.activates_shortcut else x)
        return shortcut + self.branch(activated)
