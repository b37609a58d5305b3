"""The fast path of SE on the residual branch: scale, sum and ReLU in one step.

The unit computes ``relu(gate * norm(conv(h)) + shortcut)``, h being what its last
convolution reads. Three exact identities save what SE costs beyond the plain unit:

1. Frozen statistics make batch norm an affine map, norm(y) = a * y + c per channel, so the
   gate folds into it: gate * norm(y) = A * y + B, with A = gate * a and B = gate * c of shape
   (N, C, 1, 1). SE's scale costs no pass over a map, and norm(y) is never stored.
2. The mean over positions commutes with a 1x1 convolution: mean(W h) = W mean(h), and in a
   bottleneck h has a quarter of the channels.
3. With G = sum over positions of g h^T per image, g the gradient behind the ReLU, the gradient of
   A is the row sum of G * W, and that of W is the sum over images of A * G: a 1x1 convolution
   needs neither y nor norm(y) in its backward, and stores one map less than the plain unit.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..functions import Activation, accumulator
from . import kernels
from .excitation import Excitation, Excited, excite, excite_backward
from .precision import without_autocast

Norm = tuple[Tensor, Tensor, Tensor, Tensor]  # weight, bias, mean and variance of a batch norm


def batch_norm(
    y: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor,
    momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm in training: its output, and the scale and offset (1, C, 1, 1) that it applied."""
    x, mean, inverse_std = torch.native_batch_norm(
        y, weight, bias, running_mean, running_var, True, momentum, eps
    )
    with torch.no_grad():
        a = weight * inverse_std
        return x, a.view(1, -1, 1, 1), (bias - mean * a).view(1, -1, 1, 1)


class Squeeze(torch.autograd.Function):
    """A map, and its mean over positions, at least in float32: (N, C, 1, 1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        ctx.positions = x.shape[2] * x.shape[3]
        return x.view_as(x), x.mean((2, 3), keepdim=True, dtype=accumulator(x))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor) -> Tensor:
        # in place: the map goes to one of the functions below alone, which made this gradient
        return grad.add_(grad_mean / ctx.positions)


class GateSum(torch.autograd.Function):
    """relu(gates * x + shortcut), gates of shape (N, C, 1, 1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gates: Tensor, shortcut: Tensor) -> Tensor:
        out = kernels.gate_sum(x, gates, None, shortcut)
        ctx.save_for_backward(x, gates, out)
        ctx.shortcut_dtype = shortcut.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gates, out = ctx.saved_tensors
        grad, dx, dgates, _ = kernels.gate_sum_backward(grad, out, x, gates)
        return dx, _total(dgates, gates), grad.to(ctx.shortcut_dtype)


class BatchNormGateSum(torch.autograd.Function):
    """:class:`GateSum` of x = a * y + c, which is not stored: y is, for batch norm."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gates: Tensor, y: Tensor, a: Tensor, c: Tensor, shortcut: Tensor
    ) -> Tensor:
        out = kernels.gate_sum(x, gates, None, shortcut)
        ctx.save_for_backward(y, gates, a, c, out)
        ctx.shortcut_dtype = shortcut.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, gates, a, c, out = ctx.saved_tensors
        grad, dx, dscale, doffset = kernels.gate_sum_backward(grad, out, y, gates.to(a.dtype))
        dgates = a * _total(dscale, a) + c * _total(doffset, a)
        return dx, dgates.to(gates.dtype), None, None, None, grad.to(ctx.shortcut_dtype)


class Excite(torch.autograd.Function):
    """SE's gates (N, C, 1, 1), in the type asked for, of the mean of a map (N, C, 1, 1)."""

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, dtype: torch.dtype, activation: Activation, start: float | None,
        *layers: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest = activation, start
        with without_autocast(mean):
            excited = excite(mean.flatten(1), Excitation(*layers, *ctx.rest))
        ctx.save_for_backward(*excited, *layers)
        return excited.gates.to(dtype)[:, :, None, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        excited, layers = Excited(*saved[:4]), Excitation(*saved[4:], *ctx.rest)
        with without_autocast(grad):
            dz, *dlayers = excite_backward(grad.flatten(1).to(excited.z.dtype), excited, layers)
        return dz[:, :, None, None], None, None, None, *dlayers


class NormTail(torch.autograd.Function):
    """relu(SE(norm(y)) + shortcut) of a batch norm with fixed statistics."""

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, shortcut: Tensor, activation: Activation, start: float | None,
        eps: float, *tensors: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest, ctx.shortcut_dtype = (activation, start), shortcut.dtype
        ctx.eps = eps
        norm, layers = cast(Norm, tensors[:4]), Excitation(*tensors[4:], *ctx.rest)
        with without_autocast(y):
            t = y.mean((2, 3), dtype=accumulator(y))
            excited = excite(_normed(t, norm, eps), layers)
            scale, offset = _coefficients(excited.gates, norm, eps)
            out = kernels.gate_sum(y, scale, offset, shortcut)
        ctx.save_for_backward(y, out, scale, t, *excited, *tensors)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, out, scale, t, *rest = ctx.saved_tensors
        excited, norm = Excited(*rest[:4]), cast(Norm, rest[4:8])
        layers = Excitation(*rest[8:], *ctx.rest)
        with without_autocast(y):
            grad, dy, dscales, doffsets = kernels.gate_sum_backward(grad, out, y, scale)
            sums = dscales, doffsets, None, None
            dt, _, dnorm, dlayers = _small_gradients(sums, t, t, excited, norm, layers, ctx.eps)
            dy.add_(dt[:, :, None, None], alpha=1 / y[0, 0].numel())
        return dy, grad.to(ctx.shortcut_dtype), None, None, None, *dnorm, *dlayers


class ConvTail(torch.autograd.Function):
    """:class:`NormTail` of a 1x1 convolution y = conv(h), which is not stored."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, shortcut: Tensor, activation: Activation, start: float | None,
        eps: float, weight: Tensor, *tensors: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest, ctx.shortcut_dtype = (activation, start), shortcut.dtype
        ctx.eps = eps
        norm, layers = cast(Norm, tensors[:4]), Excitation(*tensors[4:], *ctx.rest)
        with without_autocast(h):
            squeezed = h.mean((2, 3), dtype=accumulator(h))
            t = F.linear(squeezed, weight.flatten(1).to(squeezed.dtype))
            excited = excite(_normed(t, norm, eps), layers)
            scale, offset = _coefficients(excited.gates, norm, eps)
            y = F.conv2d(h, weight.to(h.dtype))
            out = kernels.gate_sum(y, scale, offset, shortcut, in_place=True)
        ctx.save_for_backward(h, out, scale, t, squeezed, weight, *excited, *tensors)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, out, scale, t, squeezed, weight, *rest = ctx.saved_tensors
        excited, norm = Excited(*rest[:4]), cast(Norm, rest[4:8])
        layers = Excitation(*rest[8:], *ctx.rest)
        matrix = weight.flatten(1)
        with without_autocast(h):
            grad, doffsets = kernels.mask_and_sum(grad, out)
            weights = torch.mul(
                scale.flatten(1)[:, :, None], matrix, out=h.new_empty(len(h), *matrix.shape)
            )
            dh, products = kernels.conv_backward(grad, h, weights)
            sums = None, doffsets, products, matrix
            dt, dmatrix, dnorm, dlayers = _small_gradients(
                sums, t, squeezed, excited, norm, layers, ctx.eps
            )
            dsqueezed = dt @ matrix.to(dt.dtype)
            dh.add_(dsqueezed[:, :, None, None], alpha=1 / h[0, 0].numel())
        dweight = cast(Tensor, dmatrix).view_as(weight).to(weight.dtype)
        return dh, grad.to(ctx.shortcut_dtype), None, None, None, dweight, *dnorm, *dlayers


def _normed(t: Tensor, norm: Norm, eps: float) -> Tensor:
    """Batch norm with fixed statistics of squeezed channels (N, C)."""
    weight, bias, mean, var = (value.to(t.dtype) for value in norm)
    return F.batch_norm(t, mean, var, weight, bias, False, 0.0, eps)


def _coefficients(gates: Tensor, norm: Norm, eps: float) -> tuple[Tensor, Tensor]:
    """What the norm and the gates (N, C) do to a map: scale and offset, (N, C, 1, 1)."""
    scale, offset = kernels.coefficients(gates, *norm, eps)
    return scale[:, :, None, None], offset[:, :, None, None]


def _small_gradients(
    sums: tuple[Tensor | None, Tensor, Tensor | None, Tensor | None],
    t: Tensor, squeezed: Tensor, excited: Excited, norm: Norm, layers: Excitation,
    eps: float,
) -> tuple[Tensor, Tensor | None, list[Tensor | None], list[Tensor]]:  # fmt: skip
    """All gradients but the maps', from their sums.

    Returns:
        Those of t, the convolution's matrix (None without products), the norm's weight, bias
        and statistics, and the layers of SE.
    """
    dscale, doffset, dgates = kernels.gate_gradients(*sums, *norm, eps)
    dz, *dlayers = excite_backward(dgates, excited, layers)
    weight, _, mean, var = norm
    dt, dmatrix, dweight, dbias = kernels.norm_gradients(
        excited.gates, dscale, doffset, dz, t, sums[2], squeezed, weight, mean, var, eps
    )
    return dt, dmatrix, [dweight.to(weight.dtype), dbias.to(weight.dtype), None, None], dlayers


def _total(parts: Tensor, like: Tensor) -> Tensor:
    """The sum of the parts (N, parts, C), as (N, C, 1, 1)."""
    return parts.sum(1).to(like.dtype)[:, :, None, None]
