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
from torch import Tensor, fx, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..se_block import SQUEEZES, SEBlock, has_hooks
from . import kernels

_is_compiling = getattr(torch.compiler, "is_compiling", None) or torch._dynamo.is_compiling


def fuses_sum(unit: nn.Module) -> bool:
    """Whether the scale, the sum and the ReLU of a residual unit become one step.

    So they do unless ``se_cfg`` says ``fused=False``, or SE sits elsewhere than before the sum,
    its gates are maps, its branch ends in a ReLU, somebody hooked or replaced the
    modules that would be bypassed, or torch traces or compiles (a compiler
    fuses by itself, and an exported graph should hold plain operators).
    """
    return (
        unit.fused
        and unit.placement == "standard"
        and not unit.branch_relu
        and type(unit.se) is SEBlock
        and unit.se.pools
        and not (has_hooks(unit.se) or has_hooks(unit.relu))
        and not (_is_compiling() or torch.jit.is_tracing())
    )


def fuses_norm(unit: nn.Module) -> bool:
    """Whether the last norm of such a unit folds into the gate as well.

    It must be a batch norm, right between a plain convolution and SE. With
    fixed statistics (``norm_eval``, a frozen stage, inference) it costs
    nothing then; else its output is at least not stored. SyncBN folds with
    fixed statistics only.
    """
    conv, norm, se = unit.last_conv, unit.last_norm, unit.se
    frozen = (nn.BatchNorm2d.forward, nn.SyncBatchNorm.forward)
    return (
        type(norm).forward in (frozen[:1] if norm.training else frozen)
        and norm.affine
        and norm.track_running_stats
        and norm.momentum is not None
        and type(conv) is nn.Conv2d
        and conv.bias is None
        and se.squeeze is SQUEEZES["avg"]
        and not unit.plugins_before_se
        and not (has_hooks(conv) or has_hooks(norm))
    )


def gate_and_sum(unit: nn.Module, h: Tensor, shortcut: Tensor) -> Tensor:
    """What a residual unit does from its last convolution on.

    Args:
        unit: The unit, with SE before the sum.
        h: What its last convolution reads, of shape (N, C_in, H, W).
        shortcut: Of shape (N, C_out, H, W).

    Returns:
        The output of the unit, of shape (N, C_out, H, W).
    """
    if isinstance(h, fx.Proxy):  # mmengine's efficient_conv_bn_eval: decide when the graph runs
        node = h.tracer.create_proxy("get_attr", h.tracer.path_of_module(unit), (), {})
        return h.tracer.create_proxy("call_function", gate_and_sum, (node, h, shortcut), {})
    if not fuses_sum(unit):
        return unit.relu(unit.se(unit.last(h)).add_(shortcut))
    if not fuses_norm(unit):
        x = unit.last(h)
        return _GateSum.apply(x, unit.se.excite(unit.se.squeeze(x)), shortcut)
    conv, norm = unit.last_conv, unit.last_norm
    if norm.training:
        y = conv(h)
        x, a, c = _batch_norm(norm, y)
        x, mean = _Squeeze.apply(x)
        return _BatchNormGateSum.apply(x, unit.se.excite(mean.to(x.dtype)), y, a, c, shortcut)
    fixed = norm.weight, norm.bias, norm.running_mean, _inverse_std(norm)
    # per-image weights pay where the map is the larger of the two
    if conv.kernel_size == (1, 1) and conv.groups == 1 and h[0, 0].numel() > 2 * h.shape[1]:
        dtype = _conv_dtype(h)
        h, mean = _Squeeze.apply(h.to(dtype))
        with torch.autocast(h.device.type, enabled=False):
            mean = F.linear(mean[:, :, 0, 0], conv.weight[:, :, 0, 0].to(mean.dtype))
        gates = _gates(unit, mean[:, :, None, None], dtype)
        return _ConvGateSum.apply(h, conv.weight.to(dtype), gates, *fixed, shortcut)
    y, mean = _Squeeze.apply(conv(h))
    return _FixedNormGateSum.apply(y, _gates(unit, mean, y.dtype), *fixed, shortcut)


def _gates(unit: nn.Module, mean: Tensor, dtype: torch.dtype) -> Tensor:
    return unit.se.excite(unit.last_norm(mean.to(unit.last_norm.weight.dtype)).to(dtype))


def _inverse_std(norm: nn.Module) -> Tensor:
    dtype = torch.promote_types(norm.running_var.dtype, torch.float32)
    return torch.rsqrt(norm.running_var.to(dtype) + norm.eps)


def _batch_norm(norm: nn.BatchNorm2d, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Batch norm in training: its output, and the scale and offset that it applied."""
    norm.num_batches_tracked.add_(1)
    x, mean, inverse_std = torch.native_batch_norm(
        y, norm.weight, norm.bias, norm.running_mean, norm.running_var, True, norm.momentum,
        norm.eps,
    )  # fmt: skip
    with torch.no_grad():
        return x, *_affine(norm.weight, norm.bias, mean, inverse_std)


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


class _Squeeze(torch.autograd.Function):
    """A map, and its mean over positions, at least in float32: (N, C, 1, 1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        ctx.positions = x[0, 0].numel()
        dtype = torch.promote_types(x.dtype, torch.float32)
        return x.view_as(x), x.mean((2, 3), keepdim=True, dtype=dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor) -> Tensor:
        # in place: the map goes to one of the functions below alone, which made this gradient
        return grad.add_(grad_mean / ctx.positions)


class _GateSum(torch.autograd.Function):
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


class _BatchNormGateSum(torch.autograd.Function):
    """:class:`_GateSum` of x = a * y + c, which is not stored: y is, for batch norm."""

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


class _FixedNormGateSum(torch.autograd.Function):
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
        y, out, gates, a, *rest = ctx.saved_tensors
        grad, dy, dscale, doffset = kernels.gate_sum_backward(grad, out, y, gates * a)
        small = _small_gradients(gates, a, *rest, dscale, doffset)
        return dy, *small, None, None, grad.to(ctx.shortcut_dtype)


class _ConvGateSum(torch.autograd.Function):
    """:class:`_FixedNormGateSum` of a 1x1 convolution y = conv(h), which is not stored."""

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
        h, matrix, out, gates, a, *rest = ctx.saved_tensors
        grad, doffset = kernels.mask_and_sum(grad, out)
        scale, matrix = (gates * a)[:, :, 0], matrix[:, :, 0, 0]
        dh, products = kernels.conv_backward(grad, h, (scale * matrix).to(h.dtype))
        products = products.to(scale.dtype)
        dscale = (products * matrix).sum(2)[:, :, None, None]
        dmatrix = (products * scale).sum(0)[:, :, None, None].to(matrix.dtype)
        small = _small_gradients(gates, a, *rest, dscale, doffset)
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
