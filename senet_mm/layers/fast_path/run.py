"""The end of a residual unit by a fast path: from its modules to functions of tensors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..functions import accumulator
from ..padding import current
from . import autograd, tails
from .choose import Path, Tail, why_excite_stays
from .excitation import of_block
from .precision import cast_to, conv_dtype


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
        return autograd.apply(autograd.GateSum, x, gates, shortcut)
    if path is Path.BATCH_NORM:
        norm.num_batches_tracked.add_(1)
        y = conv(h)
        x, a, c = autograd.batch_norm(
            y, norm.weight, norm.bias, norm.running_mean, norm.running_var, norm.momentum, norm.eps
        )
        x, mean = autograd.Squeeze.apply(x, _shares(se, x))
        if not why_excite_stays(se):
            *layers, activation, start = of_block(se)
            gates = autograd.apply(autograd.Excite, mean, x.dtype, activation, start, *layers)
        else:
            gates = se.excite(mean.to(x.dtype))
        gates, shortcut = _fitted(gates, shortcut, y.shape)
        return autograd.apply(autograd.BatchNormGateSum, x, gates, y, a, c, shortcut)
    *layers, activation, start = of_block(se)
    options = activation, start, norm.eps
    tensors = norm.weight, norm.bias, norm.running_mean, norm.running_var, *layers
    if path is Path.NORM:
        y = conv(h)
        shortcut = _sized(shortcut, y.shape)
        return autograd.apply(tails.NormTail, y, shortcut, _shares(se, y), *options, *tensors)
    h = cast_to(h, conv_dtype(h))
    shortcut = _sized(shortcut, torch.Size((len(h), conv.out_channels, *h.shape[2:])))
    shares = _shares(se, h)
    return autograd.apply(tails.ConvTail, h, shortcut, shares, *options, conv.weight, *tensors)


def _in_operators(tail: Tail, h: Tensor, shortcut: Tensor) -> Tensor:
    """The gates are known before the last convolution runs: mean(norm(W h)) = norm(W mean(h))."""
    conv: Any = tail.conv
    norm: Any = tail.norm
    se: Any = tail.se
    gates = se.excite(tail.branch(se.squeeze(h)))
    images = h.shape[0]  # not len(h), which would make a constant of it
    if type(images) is int and images == 1:
        # norm and gate go into the weights: runtimes fuse convolution, sum and ReLU
        tensors = norm.weight, norm.bias, norm.running_mean, norm.running_var
        fixed = tails.FixedNorm.of(tensors, norm.eps, accumulator(norm.running_var))
        gate = gates.view(-1)
        out = F.conv2d(h, (gate * fixed.a).view(-1, 1, 1, 1) * conv.weight, gate * fixed.c)
    else:
        out = gates * tail.branch(h)
    return tail.relu((out + shortcut).to(out.dtype))


def _shares(se: Any, x: Tensor) -> Tensor | None:
    """The share of each position of a map in the squeeze; None: they are all the same."""
    return current().shares(x) if se.minds_padding else None


def _fitted(gates: Tensor, shortcut: Tensor, size: torch.Size) -> tuple[Tensor, Tensor]:
    """Gates and shortcut of a map of that size: kernels read as many values as it has."""
    if len(gates) != size[0]:  # somebody wrapped ``excite``, and gives the same for all images
        gates = gates.expand(size[0], -1, -1, -1)
    return gates, _sized(shortcut, size)


def _sized(shortcut: Tensor, size: torch.Size) -> Tensor:
    return shortcut if shortcut.shape == size else shortcut.expand(size)
