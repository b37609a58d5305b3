"""The steps of the fast path, in plain torch or in Triton: which, says use_triton.py."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from . import kernels_torch
from .use_triton import triton_kernels

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
    return _of(y).gate_sum(y, scale, offset, shortcut, in_place=in_place)


def gate_sum_backward(
    grad: Tensor, out: Tensor, y: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of :func:`gate_sum`.

    Returns:
        Those of the shortcut and of y, in the type of y; then those of scale and of offset in
        parts, (N, parts, C), whose sums they are, at least in float32.
    """
    return _of(y).gate_sum_backward(grad, out, y, scale)


def mask_and_sum(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient behind the ReLU, and its sum over positions in parts, as above."""
    return _of(out).mask_and_sum(grad, out)


def gate_gradients(
    dscales: Tensor | None, doffsets: Tensor, products: Tensor | None, matrix: Tensor | None,
    a: Tensor, c: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """The gradients of scale = gates * a, offset = gates * c, and gates; (N, C) each.

    Args:
        dscales: The parts of scale's, (N, parts, C); None where there are products.
        doffsets: The parts of offset's.
        products: The sums over positions of g h^T of a 1x1 convolution, (N, C, C_in): with the
            matrix (C, C_in) they give scale's gradient.
        matrix: The convolution's weight.
        a, c: The norm as a map a * y + c, (C,) each.
    """
    return _of(doffsets).gate_gradients(dscales, doffsets, products, matrix, a, c)


def norm_gradients(
    gates: Tensor, dscale: Tensor, doffset: Tensor, dz: Tensor, t: Tensor,
    products: Tensor | None, squeezed: Tensor, a: Tensor, mean: Tensor, inverse_std: Tensor,
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:  # fmt: skip
    """The gradients of what lies before the gates and the squeezed channels z = norm(t).

    Args:
        gates: Of shape (N, C).
        dscale, doffset: See :func:`gate_gradients`.
        dz: The gradient of the squeezed channels behind the norm, (N, C).
        t: The squeezed channels before it, (N, C).
        products: See :func:`gate_gradients`; None where the convolution has its own backward.
        squeezed: The squeezed input of the convolution, t = matrix squeezed; (N, C_in).
        a, mean, inverse_std: The norm's weight over its deviation, its mean and one over its
            deviation, (C,) each.

    Returns:
        Those of t; the matrix, or None; the norm's weight and bias.
    """
    return _of(gates).norm_gradients(
        gates, dscale, doffset, dz, t, products, squeezed, a, mean, inverse_std
    )


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


def _of(x: Tensor) -> ModuleType:
    """The module whose steps take tensors like this."""
    return (triton_kernels(x) if x.is_cuda else None) or kernels_torch
