"""Padding that stays zero through a residual network, as it is around a picture alone.

After a norm the padding of a batch is a constant, which layers with a window carry into the
picture. Zeroed before each of them, and left out of SE's squeeze, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmcv.ops import DeformConv2d, ModulatedDeformConv2d
from mmengine.model import Sequential
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from ..layers import SEBlock, SEResidualMixin
from ..layers.padding import current, zero_outside
from .alignment import pair

_WINDOWS = (nn.Conv2d, DeformConv2d, ModulatedDeformConv2d, nn.MaxPool2d, nn.AvgPool2d)
_POINTWISE = (_BatchNorm, nn.ReLU, nn.Identity)
_CONTAINERS = (SEResidualMixin, nn.Sequential, Sequential)


def zero_padding(net: nn.Module) -> None:
    """Zero the padding before each layer with a window, by hooks.

    Args:
        net: A residual network with SE that squeezes the valid part.

    Raises:
        ValueError: If it has a layer that gives another map beside padding all the same.
    """
    for name, layer in _layers(net, ""):
        if reason := _why_not(layer):
            raise ValueError(
                f"{type(net).__name__} with padding='exact': {name}, a {type(layer).__name__}, "
                f"{reason}: expected padding='mask' or 'ignore', or another layer"
            )
        if isinstance(layer, _WINDOWS) and pair(layer.kernel_size) != (1, 1):
            layer.register_forward_pre_hook(zero_outside)
            if isinstance(layer, nn.AvgPool2d):
                layer.register_forward_hook(_leave_out)


def _layers(net: nn.Module, prefix: str) -> Iterator[tuple[str, Any]]:
    """What runs, without what only holds it."""
    for name, module in net.named_children():
        if isinstance(module, _CONTAINERS):
            yield from _layers(module, f"{prefix}{name}.")
        else:
            yield prefix + name, module


def _why_not(layer: Any) -> str:
    if isinstance(layer, SEBlock):
        squeezes_all = layer.pools and not layer.minds_padding
        return "squeezes the padding too" if squeezes_all else ""
    if isinstance(layer, _WINDOWS):
        return "" if _is_aligned(layer) else "does not pad half a window on each side"
    if isinstance(layer, (nn.GroupNorm, nn.InstanceNorm2d)):
        return "takes its statistics over the padding too"
    if isinstance(layer, _POINTWISE):
        return ""
    return "may read padding in a way of its own"


def _is_aligned(layer: Any) -> bool:
    """Whether a side of n makes ceil(n / stride), cell by cell as if nothing followed."""
    window, stride, padding = (
        pair(getattr(layer, name)) for name in ("kernel_size", "stride", "padding")
    )
    if isinstance(layer, nn.AvgPool2d):
        tiles = window == stride and padding == (0, 0) and layer.ceil_mode
        return tiles and not layer.count_include_pad
    dilation = pair(layer.dilation)
    half = tuple(d * (side - 1) / 2 for d, side in zip(dilation, window, strict=True))
    return padding == half and not getattr(layer, "ceil_mode", False)


def _leave_out(pool: Any, inputs: tuple[Tensor], output: Tensor) -> Tensor:
    """An average of zeros and values, as the average of the values."""
    x = inputs[0]
    inside = (~current().outside(x)).to(x.dtype)
    # the pool itself without its hooks; where all is padding, nothing is read
    share = F.avg_pool2d(
        inside, pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode, pool.count_include_pad
    )
    return output / share.masked_fill(share == 0, 1)
