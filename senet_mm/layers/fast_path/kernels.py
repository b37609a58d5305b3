"""The steps of the fast path in plain torch, or in Triton where a GPU supports it."""

from __future__ import annotations

import functools
import importlib.util
import warnings
from types import ModuleType

import torch
from torch import Tensor

aten = torch.ops.aten


def gate_sum(
    y: Tensor, scale: Tensor, offset: Tensor | None, shortcut: Tensor, *, in_place: bool = False
) -> Tensor:
    """relu(scale * y + offset + shortcut), in the type of y.

    Args:
        y: Of shape (N, C, H, W).
        scale: Of shape (N, C, 1, 1).
        offset: Of shape (N, C, 1, 1); None stands for zero.
        shortcut: Of shape (N, C, H, W).
        in_place: Whether the result may take the place of y.
    """
    triton = _triton(y)
    if triton:
        return triton.gate_sum(y, scale, offset, shortcut, in_place=in_place)
    exact = torch.promote_types(y.dtype, torch.float32)
    in_place = in_place and y.dtype == exact
    out = torch.addcmul(
        shortcut.to(exact), y.to(exact), scale.to(exact), out=y if in_place else None
    )
    if offset is not None:
        out.add_(offset)
    return out.relu_().to(y.dtype)


def gate_sum_backward(
    grad: Tensor, out: Tensor, y: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of :func:`gate_sum`.

    Returns:
        Those of the shortcut (in the type of y), y, scale and offset.
    """
    triton = _triton(y)
    if triton:
        return triton.gate_sum_backward(grad, out, y, scale)
    grad = aten.threshold_backward(grad, out, 0)
    if y.is_contiguous() and y.dtype == scale.dtype:
        # to batch norm with statistics 0 and 1, each channel of each image is a channel of one
        # image: its backward gives the three gradients in one go
        n, c, height, width = y.shape
        shape = (1, n * c, height, width)
        dy, *dcoefficients = aten.native_batch_norm_backward(
            grad.reshape(shape), y.view(shape), scale.reshape(-1),
            y.new_zeros(n * c), y.new_ones(n * c), None, None, False, 0.0, [True, True, True],
        )  # fmt: skip
        return grad, dy.view_as(y), *(value.view_as(scale) for value in dcoefficients)
    exact = grad.to(torch.promote_types(y.dtype, torch.float32))
    dscale, doffset = (x.sum((2, 3), keepdim=True).to(scale.dtype) for x in (exact * y, exact))
    return grad, (exact * scale).to(y.dtype), dscale, doffset


def mask_and_sum(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient behind the ReLU, and its sum over positions, at least in float32."""
    triton = _triton(out)
    if triton:
        return triton.mask_and_sum(grad, out)
    grad = aten.threshold_backward(grad, out, 0)
    dtype = torch.promote_types(grad.dtype, torch.float32)
    return grad, grad.sum((2, 3), keepdim=True, dtype=dtype)


def conv_backward(grad: Tensor, h: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Backward of a 1x1 convolution with a weight per image.

    Args:
        grad: Of shape (N, C_out, H, W).
        h: The input, of shape (N, C_in, H, W).
        weights: Of shape (N, C_out, C_in).

    Returns:
        The gradients of h and weights; of float16 the latter in float32.
    """
    if h.is_cuda:
        grads, columns = grad.flatten(2), h.flatten(2)
        dh = torch.bmm(weights.transpose(1, 2), grads).view_as(h)
        return dh, sums_of_products(grads, columns.transpose(1, 2))
    # the gradient of weights is scaled later: in float16 it would overflow that much earlier
    exact = torch.float32 if h.dtype == torch.float16 else h.dtype
    # oneDNN's convolutions are faster than a batched product on many CPUs
    dh, dweights = torch.empty_like(h), torch.empty_like(weights, dtype=exact)
    for n in range(len(h)):
        images = (x[n : n + 1].to(exact) for x in (grad, h))
        dh[n : n + 1], dweight, _ = aten.convolution_backward(
            *images, weights[n][:, :, None, None].to(exact), None,
            [1, 1], [0, 0], [1, 1], False, [0, 0], 1, [True, True, False],
        )  # fmt: skip
        dweights[n] = dweight[:, :, 0, 0]
    return dh, dweights


def sums_of_products(x: Tensor, y: Tensor) -> Tensor:
    """The batched matrix product; of float16 in float32, whose range its sums may need."""
    if x.dtype != torch.float16:
        return torch.bmm(x, y)
    if x.is_cuda and hasattr(aten.bmm, "dtype"):  # torch 2.8: cuBLAS reads halves, writes float32
        return aten.bmm.dtype(x, y, torch.float32)
    return torch.bmm(x.float(), y.float())


def _triton(x: Tensor) -> ModuleType | None:
    # the kernels compute in float32
    fits = x.is_cuda and x.dtype != torch.float64 and x.numel()
    return _triton_of(x.device) if fits else None


@functools.lru_cache
def _triton_of(device: torch.device) -> ModuleType | None:
    """The Triton kernels, if they run on a device."""
    if not importlib.util.find_spec("triton") or torch.cuda.get_device_capability(device) < (7, 0):
        return None
    from . import kernels_triton  # Triton is no requirement

    try:  # compiling needs tools that a machine may lack
        x = torch.ones(1, 1, 1, 1, device=device)
        kernels_triton.gate_sum(x, x, x, x, in_place=False)
    except Exception as error:
        warnings.warn(f"SE runs without its Triton kernels on {device}: {error}", stacklevel=2)
        return None
    return kernels_triton
