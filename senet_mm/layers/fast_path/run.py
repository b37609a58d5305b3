"""The end of a residual unit by a fast path: from its modules to functions of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from . import autograd
from .choose import Path, Tail


def run(path: Path, tail: Tail, h: Tensor, shortcut: Tensor) -> Tensor:
    """Compute ``relu(se(branch(h)) + shortcut)``.

    Args:
        path: What :func:`choose` chose for these, not the reference.
        tail: The modules.
        h: What the last convolution reads, of shape (N, C_in, H, W).
        shortcut: Of shape (N, C_out, H, W).
    """
    # choose has looked at what they are
    conv: Any = tail.conv
    norm: Any = tail.norm
    se: Any = tail.se
    if path is Path.OPERATORS:
        return _in_operators(tail, h, shortcut)
    if path is Path.GATE:
        x = tail.branch(h)
        gates, shortcut = _fitted(se.excite(se.squeeze(x)), shortcut, x.shape)
        return autograd.GateSum.apply(x, gates, shortcut)
    if path is Path.BATCH_NORM:
        norm.num_batches_tracked.add_(1)
        y = conv(h)
        x, a, c = autograd.batch_norm(
            y, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.momentum, norm.eps
        )
        x, mean = autograd.Squeeze.apply(x)
        gates, shortcut = _fitted(se.excite(mean.to(x.dtype)), shortcut, y.shape)
        return autograd.BatchNormGateSum.apply(x, gates, y, a, c, shortcut)
    inverse_std = autograd.inverse_std(norm.running_var, norm.eps)
    fixed = norm.weight, norm.bias, norm.running_mean, inverse_std
    if path is Path.NORM:
        y, mean = autograd.Squeeze.apply(conv(h))
        gates, shortcut = _fitted(_gates(norm, se, mean, y.dtype), shortcut, y.shape)
        return autograd.FixedNormGateSum.apply(y, gates, *fixed, shortcut)
    dtype = _conv_dtype(h)
    h, mean = autograd.Squeeze.apply(h.to(dtype))
    with torch.autocast(h.device.type, enabled=False):
        mean = F.linear(mean[:, :, 0, 0], conv.weight[:, :, 0, 0].to(mean.dtype))
    gates = _gates(norm, se, mean[:, :, None, None], dtype)
    size = torch.Size((len(h), conv.out_channels, *h.shape[2:]))
    gates, shortcut = _fitted(gates, shortcut, size)
    return autograd.ConvGateSum.apply(h, conv.weight.to(dtype), gates, *fixed, shortcut)


def _in_operators(tail: Tail, h: Tensor, shortcut: Tensor) -> Tensor:
    """The gates are known before the last convolution runs: mean(norm(W h)) = norm(W mean(h))."""
    conv: Any = tail.conv
    norm: Any = tail.norm
    se: Any = tail.se
    gates = se.excite(tail.branch(se.squeeze(h)))
    images = h.shape[0]  # not len(h), which would make a constant of it
    if type(images) is int and images == 1:
        # norm and gate go into the weights: runtimes fuse convolution, sum and ReLU
        scale = norm.weight * autograd.inverse_std(norm.running_var, norm.eps)
        offset = norm.bias - norm.running_mean * scale
        gate = gates.view(-1)
        weight = (gate * scale).view(-1, 1, 1, 1) * conv.weight
        out = F.conv2d(h, weight, gate * offset)
    else:
        out = gates * tail.branch(h)
    return tail.relu((out + shortcut).to(out.dtype))


def _fitted(gates: Tensor, shortcut: Tensor, size: torch.Size) -> tuple[Tensor, Tensor]:
    """Gates and shortcut of a map of that size: kernels read as many values as it has."""
    if len(gates) != size[0]:  # somebody wrapped ``excite``, and gives the same for all images
        gates = gates.expand(size[0], -1, -1, -1)
    return gates, shortcut if shortcut.shape == size else shortcut.expand(size)


def _gates(norm: Any, se: Any, mean: Tensor, dtype: torch.dtype) -> Tensor:
    """Gates from the mean of what the norm reads: with fixed statistics the two commute."""
    return se.excite(norm(mean.to(norm.weight.dtype)).to(dtype))


def _conv_dtype(x: Tensor) -> torch.dtype:
    """What a convolution of x computes in: autocast's type where it is on."""
    device = x.device.type
    if x.dtype == torch.float64:
        return x.dtype
    if hasattr(torch, "get_autocast_dtype"):
        return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
    if device == "cpu":  # torch 2.1
        return torch.get_autocast_cpu_dtype() if torch.is_autocast_cpu_enabled() else x.dtype
    return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else x.dtype
