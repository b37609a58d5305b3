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

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..functions import Activation, accumulator
from . import kernels
from .excitation import Excitation, Excited, excite, excite_backward
from .precision import cast_to as _cast
from .precision import without_autocast


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
        inverse_std = (_cast(var, dtype) + eps).rsqrt_()
        a = weight * inverse_std
        return cls(a, torch.addcmul(_cast(bias, dtype), mean, a, value=-1), mean, inverse_std)

    def map(self, t: Tensor) -> Tensor:
        """What it makes of squeezed channels (N, C)."""
        return torch.addcmul(self.c, t, self.a)

    def gated(self, gates: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and offset of gates * norm(y), gates (N, C): (N, C, 1, 1) each."""
        return (gates * self.a)[:, :, None, None], (gates * self.c)[:, :, None, None]


def batch_norm(
    y: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor,
    momentum: float, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """Batch norm in training: its output, and the scale and offset (1, C, 1, 1) that it applied."""
    # what F.batch_norm calls, which takes cuDNN's where that is faster, and its statistics
    x, mean, inverse_std, _, _ = torch._batch_norm_impl_index(
        y, weight, bias, running_mean, running_var, True, momentum, eps,
        torch.backends.cudnn.enabled,
    )  # fmt: skip
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
            excited = excite(mean.flatten(1), Excitation.of(layers, *ctx.rest))
        ctx.save_for_backward(*excited, *layers)
        return excited.gates.to(dtype)[:, :, None, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        excited, layers = Excited(*saved[:4]), Excitation.of(saved[4:], *ctx.rest)
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
        with without_autocast(y):
            norm = FixedNorm.of(tensors[:4], eps, accumulator(y))
            t = y.mean((2, 3), dtype=norm.a.dtype)
            excited = excite(norm.map(t), Excitation.of(tensors[4:], activation, start))
            scale, offset = norm.gated(excited.gates)
            out = kernels.gate_sum(y, scale, offset, shortcut)
        ctx.save_for_backward(y, out, scale, t, *norm, *excited, *tensors[4:])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        y, out, scale, t, *rest = ctx.saved_tensors
        with without_autocast(y):
            grad, dy, dscales, doffsets = kernels.gate_sum_backward(grad, out, y, scale)
            dt, _, small = _small_gradients((dscales, doffsets, None, None), t, t, rest, ctx.rest)
            dy.add_(dt[:, :, None, None], alpha=1 / y[0, 0].numel())
        return dy, _cast(grad, ctx.shortcut_dtype), None, None, None, *small


class ConvTail(torch.autograd.Function):
    """:class:`NormTail` of a 1x1 convolution y = conv(h), which is not stored."""

    @staticmethod
    def forward(
        ctx: Any, h: Tensor, shortcut: Tensor, activation: Activation, start: float | None,
        eps: float, weight: Tensor, *tensors: Any,
    ) -> Tensor:  # fmt: skip
        ctx.rest, ctx.shortcut_dtype = (activation, start), shortcut.dtype
        with without_autocast(h):
            norm = FixedNorm.of(tensors[:4], eps, accumulator(h))
            squeezed = h.mean((2, 3), dtype=norm.a.dtype)
            t = F.linear(squeezed, _cast(weight.flatten(1), squeezed.dtype))
            excited = excite(norm.map(t), Excitation.of(tensors[4:], activation, start))
            scale, offset = norm.gated(excited.gates)
            y = torch.conv2d(h, _cast(weight, h.dtype))
            out = kernels.gate_sum(y, scale, offset, shortcut, in_place=True)
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
            dsqueezed = dt @ _cast(matrix, dt.dtype)
            dh.add_(dsqueezed[:, :, None, None], alpha=1 / h[0, 0].numel())
        dweight = _cast(cast(Tensor, dmatrix), weight.dtype).view_as(weight)
        return dh, _cast(grad, ctx.shortcut_dtype), None, None, None, dweight, *small


def apply(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """The function, or where no gradient is asked for its forward alone, which is quicker."""
    if torch.is_grad_enabled():
        return cast(Tensor, function.apply(*arguments))
    return cast(Tensor, function.forward(_Forgetful(), *arguments))


class _Forgetful:
    """What forward keeps for backward goes nowhere."""

    def save_for_backward(self, *tensors: Tensor) -> None:
        pass


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
    return dt, dmatrix, [_cast(dweight, dtype), _cast(dbias, dtype), None, None, *dlayers]


def _total(parts: Tensor, like: Tensor) -> Tensor:
    """The sum of the parts (N, parts, C), as (N, C, 1, 1)."""
    return _cast(parts.sum(1), like.dtype)[:, :, None, None]
