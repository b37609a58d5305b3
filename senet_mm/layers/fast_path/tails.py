"""The whole end of a residual unit whose batch norm has fixed statistics, as one function.

It computes ``relu(gate * norm(conv(h)) + shortcut)``, h being what the unit's last convolution
reads. Three exact identities save what SE costs beyond the plain unit:

1. Fixed statistics make batch norm an affine map, norm(y) = a * y + c per channel, so the
   gate folds into it: gate * norm(y) = A * y + B, with A = gate * a and B = gate * c of shape
   (N, C, 1, 1). SE's scale costs no pass over a map, and norm(y) is never stored.
2. The mean over positions commutes with a 1x1 convolution: mean(W h) = W mean(h), and in a
   bottleneck h has a quarter of the channels.
3. With G = sum over positions of g h^T per image, g the gradient behind the ReLU, the gradient of
   A is the row sum of G * W, and that of W is the sum over images of A * G: a 1x1 convolution
   needs neither y nor norm(y) in its backward, and stores one map less than the plain unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..functions import Activation, accumulator
from . import kernels, squeeze
from .excitation import Excitation, Excited, excite, excite_backward
from .precision import cast_to, without_autocast


class FixedNorm(NamedTuple):
    """A batch norm with fixed statistics as a map a * y + c; all (C,).

    Attributes:
        a: Its weight over its deviation.
        c: Its bias less a times its mean.
        mean: Its mean.
        inverse_std: One over its deviation.
    """

    a: Tensor
    c: Tensor
    mean: Tensor
    inverse_std: Tensor

    @classmethod
    def of(cls, tensors: Sequence[Tensor], eps: float, dtype: torch.dtype) -> FixedNorm:
        """From a batch norm's weight, bias, mean and variance."""
        weight, bias, mean, var = tensors
        inverse_std = (cast_to(var, dtype) + eps).rsqrt()
        a = weight * inverse_std
        return cls(a, torch.addcmul(cast_to(bias, dtype), mean, a, value=-1), mean, inverse_std)

    def map(self, t: Tensor) -> Tensor:
        """What it makes of squeezed channels (N, C)."""
        return torch.addcmul(self.c, t, self.a)

    def gated(self, gates: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and offset of gates * norm(y), gates (N, C): (N, C, 1, 1) each."""
        return (gates * self.a)[:, :, None, None], (gates * self.c)[:, :, None, None]


class NormTail(torch.autograd.Function):
    """relu(SE(norm(y)) + shortcut) of a batch norm with fixed statistics."""

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, shortcut: Tensor, shares: Tensor | None, activation: Activation,
        start: float | None, eps: float, *tensors: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest, ctx.shortcut_dtype = (activation, start), shortcut.dtype
        with without_autocast(y):
            norm = FixedNorm.of(tensors[:4], eps, accumulator(y))
            t = squeeze.mean(y, shares)
            excited = excite(norm.map(t), Excitation.of(tensors[4:], activation, start))
            scale, offset = norm.gated(excited.gates)
            out = kernels.gate_sum(y, scale, offset, shortcut)
        ctx.shares = shares
        ctx.save_for_backward(y, out, scale, t, *norm, *excited, *tensors[4:])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, out, scale, t, *rest = ctx.saved_tensors
        with without_autocast(y):
            grad, dy, dscales, doffsets = kernels.gate_sum_backward(grad, out, y, scale)
            dt, _, small = _small_gradients((dscales, doffsets, None, None), t, t, rest, ctx.rest)
            squeeze.add_gradient(dy, dt, ctx.shares)
        return dy, cast_to(grad, ctx.shortcut_dtype), None, None, None, None, *small


class ConvTail(torch.autograd.Function):
    """:class:`NormTail` of a 1x1 convolution y = conv(h), which is not stored."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, shortcut: Tensor, shares: Tensor | None, activation: Activation,
        start: float | None, eps: float, weight: Tensor, *tensors: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest, ctx.shortcut_dtype = (activation, start), shortcut.dtype
        with without_autocast(h):
            norm = FixedNorm.of(tensors[:4], eps, accumulator(h))
            squeezed = squeeze.mean(h, shares)
            t = F.linear(squeezed, cast_to(weight.flatten(1), squeezed.dtype))
            excited = excite(norm.map(t), Excitation.of(tensors[4:], activation, start))
            scale, offset = norm.gated(excited.gates)
            y = torch.conv2d(h, cast_to(weight, h.dtype))
            out = kernels.gate_sum(y, scale, offset, shortcut, in_place=True)
        ctx.shares = shares
        ctx.save_for_backward(h, out, scale, t, squeezed, weight, *norm, *excited, *tensors[4:])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, out, scale, t, squeezed, weight, *rest = ctx.saved_tensors
        matrix = weight.flatten(1)
        with without_autocast(h):
            grad, doffsets = kernels.mask_and_sum(grad, out)
            weights = torch.mul(scale.flatten(2), matrix, out=h.new_empty(len(h), *matrix.shape))
            dh, products = kernels.conv_backward(grad, h, weights)
            sums = None, doffsets, products, matrix
            dt, dmatrix, small = _small_gradients(sums, t, squeezed, rest, ctx.rest)
            dsqueezed = dt @ cast_to(matrix, dt.dtype)
            squeeze.add_gradient(dh, dsqueezed, ctx.shares)
        dweight = cast_to(cast(Tensor, dmatrix), weight.dtype).view_as(weight)
        return dh, cast_to(grad, ctx.shortcut_dtype), None, None, None, None, dweight, *small


def _small_gradients(
    sums: tuple[Tensor | None, Tensor, Tensor | None, Tensor | None],
    t: Tensor, squeezed: Tensor, saved: list[Tensor], rest: tuple[Activation, float | None],
) -> tuple[Tensor, Tensor | None, list[Tensor | None]]:  # fmt: skip
    """All gradients but the maps', from their sums.

    Returns:
        That of t; that of the convolution's matrix, None without products; those of the norm's
        weight, bias and statistics, and of the layers of SE.
    """
    norm, excited = FixedNorm(*saved[:4]), Excited(*saved[4:8])
    layers = Excitation.of(saved[8:], *rest)
    dscale, doffset, dgates = kernels.gate_gradients(*sums, norm.a, norm.c)
    dz, *dlayers = excite_backward(dgates, excited, layers)
    dt, dmatrix, dweight, dbias = kernels.norm_gradients(
        excited.gates, dscale, doffset, dz, t, sums[2], squeezed, norm.a, norm.mean,
        norm.inverse_std,
    )  # fmt: skip
    dtype = norm.mean.dtype
    return dt, dmatrix, [cast_to(dweight, dtype), cast_to(dbias, dtype), None, None, *dlayers]
