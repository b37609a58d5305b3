"""Gate, sum and ReLU of a residual unit in one step, where the norm itself has been computed.

The unit computes ``relu(gate * norm(conv(h)) + shortcut)``; tails.py does all of it at once where
the norm has fixed statistics. A norm of another kind leaves its output to :class:`GateSum`. Batch
norm in training is an affine map too, norm(y) = a * y + c, once the statistics of the batch are
known: y is kept for its own backward, so norm(y) need not be.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..functions import Activation
from . import kernels, squeeze
from .excitation import Excitation, Excited, excite, excite_backward
from .precision import cast_to, without_autocast


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
    def forward(ctx: Any, x: Tensor, shares: Tensor | None) -> tuple[Tensor, Tensor]:
        ctx.shares = shares
        return x.view_as(x), squeeze.mean(x, shares)[:, :, None, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor) -> tuple[Tensor, None]:
        # in place: the map goes to one of the functions below alone, which made this gradient
        return squeeze.add_gradient(grad, grad_mean.flatten(1), ctx.shares), None


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
        return dx, _total(dgates, gates), cast_to(grad, ctx.shortcut_dtype)


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
        grad, dx, dscale, doffset = kernels.gate_sum_backward(grad, out, y, cast_to(gates, a.dtype))
        dgates = a * _total(dscale, a) + c * _total(doffset, a)
        return dx, cast_to(dgates, gates.dtype), None, None, None, cast_to(grad, ctx.shortcut_dtype)


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


def apply(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    """The function, or where no gradient is asked for its forward alone, which is quicker."""
    if torch.is_grad_enabled():
        return cast(Tensor, function.apply(*arguments))
    return cast(Tensor, function.forward(_Forgetful(), *arguments))


class _Forgetful:
    """What forward keeps for backward goes nowhere."""

    def save_for_backward(self, *tensors: Tensor) -> None:
        pass


def _total(parts: Tensor, like: Tensor) -> Tensor:
    """The sum of the parts (N, parts, C), as (N, C, 1, 1)."""
    return cast_to(parts.sum(1), like.dtype)[:, :, None, None]
