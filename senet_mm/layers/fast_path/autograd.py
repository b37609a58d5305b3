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

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..functions import accumulator
from . import kernels


def batch_norm(
    y: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor,
    momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm in training: its output, and the scale and offset (1, C, 1, 1) that it applied."""
    x, mean, inverse_std = torch.native_batch_norm(
        y, weight, bias, running_mean, running_var, True, momentum, eps
    )
    with torch.no_grad():
        return x, *_affine(weight, bias, mean, inverse_std)


def inverse_std(running_var: Tensor, eps: float) -> Tensor:
    """What batch norm multiplies with, at least in float32."""
    return torch.rsqrt(running_var.to(accumulator(running_var)) + eps)


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
        return dx, dgates, grad.to(ctx.shortcut_dtype)


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
        dgates = (a * dscale + c * doffset).to(gates.dtype)
        return dx, dgates, None, None, None, grad.to(ctx.shortcut_dtype)


class FixedNormGateSum(torch.autograd.Function):
    """relu(gates * norm(y) + shortcut) of a batch norm with fixed statistics."""

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, gates: Tensor, weight: Tensor, bias: Tensor, mean: Tensor,
        inverse_std: Tensor, shortcut: Tensor,
    ) -> Tensor:  # fmt: skip
        a, c = _affine(weight, bias, mean, inverse_std)
        out = kernels.gate_sum(y, gates * a, gates * c, shortcut)
        ctx.save_for_backward(y, out, gates, a, c, mean, inverse_std)
        ctx.shortcut_dtype = shortcut.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, out, gates, a, c, mean, inverse_std = ctx.saved_tensors
        grad, dy, dscale, doffset = kernels.gate_sum_backward(grad, out, y, gates * a)
        small = _small_gradients(gates, a, c, mean, inverse_std, dscale, doffset)
        return dy, *small, None, None, grad.to(ctx.shortcut_dtype)


class ConvGateSum(torch.autograd.Function):
    """:class:`FixedNormGateSum` of a 1x1 convolution y = conv(h), which is not stored."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, matrix: Tensor, gates: Tensor, weight: Tensor, bias: Tensor,
        mean: Tensor, inverse_std: Tensor, shortcut: Tensor,
    ) -> Tensor:  # fmt: skip
        a, c = _affine(weight, bias, mean, inverse_std)
        y = F.conv2d(h, matrix)
        out = kernels.gate_sum(y, gates * a, gates * c, shortcut, in_place=True)
        ctx.save_for_backward(h, matrix, out, gates, a, c, mean, inverse_std)
        ctx.shortcut_dtype = shortcut.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        h, matrix, out, gates, a, c, mean, inverse_std = ctx.saved_tensors
        grad, doffset = kernels.mask_and_sum(grad, out)
        scale, matrix = (gates * a)[:, :, 0], matrix[:, :, 0, 0]
        dh, products = kernels.conv_backward(grad, h, (scale * matrix).to(h.dtype))
        products = products.to(scale.dtype)
        dscale = (products * matrix).sum(2)[:, :, None, None]
        dmatrix = (products * scale).sum(0)[:, :, None, None].to(matrix.dtype)
        small = _small_gradients(gates, a, c, mean, inverse_std, dscale, doffset)
        return dh, dmatrix, *small, None, None, grad.to(ctx.shortcut_dtype)


def _affine(
    weight: Tensor, bias: Tensor, mean: Tensor, inverse_std: Tensor
) -> tuple[Tensor, Tensor]:
    """What batch norm with these statistics is, a * y + c; both (1, C, 1, 1)."""
    a = weight * inverse_std
    return a.view(1, -1, 1, 1), (bias - mean * a).view(1, -1, 1, 1)


def _small_gradients(
    gates: Tensor, a: Tensor, c: Tensor, mean: Tensor, inverse_std: Tensor,
    dscale: Tensor, doffset: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Gradients of gates, weight and bias from those of gates * a and gates * c."""
    dgates = (a * dscale + c * doffset).to(gates.dtype)
    da, dc = ((gates * value).sum(0).flatten() for value in (dscale, doffset))
    return dgates, (inverse_std * (da - mean * dc)).to(mean.dtype), dc.to(mean.dtype)
