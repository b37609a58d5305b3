"""The steps of the fast path in plain torch; what they compute is in kernels.py."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

aten = torch.ops.aten


def gate_sum(
    y: Tensor, scale: Tensor, offset: Tensor | None, shortcut: Tensor, *, in_place: bool = False
) -> Tensor:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum`."""
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
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum_backward`."""
    grad = aten.threshold_backward(grad, out, 0)
    n, c, height, width = y.shape
    if y.is_contiguous() and y.dtype == scale.dtype:
        # to batch norm with statistics 0 and 1, each channel of each image is a channel of one
        # image: its backward gives the three gradients in one go
        shape = (1, n * c, height, width)
        dy, *dcoefficients = aten.native_batch_norm_backward(
            grad.reshape(shape), y.view(shape), scale.reshape(-1),
            y.new_zeros(n * c), y.new_ones(n * c), None, None, False, 0.0, [True, True, True],
        )  # fmt: skip
        return grad, dy.view_as(y), *(value.view(n, 1, c) for value in dcoefficients)
    exact = grad.to(torch.promote_types(y.dtype, torch.float32))
    dscale, doffset = (x.sum((2, 3)).view(n, 1, c) for x in (exact * y, exact))
    return grad, (exact * scale).to(y.dtype), dscale, doffset


def mask_and_sum(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`senet_mm.layers.fast_path.kernels.mask_and_sum`."""
    grad = aten.threshold_backward(grad, out, 0)
    dtype = torch.promote_types(grad.dtype, torch.float32)
    return grad, grad.sum((2, 3), dtype=dtype)[:, None]


def gate_gradients(
    dscales: Tensor | None, doffsets: Tensor, products: Tensor | None, matrix: Tensor | None,
    a: Tensor, c: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """See :func:`senet_mm.layers.fast_path.kernels.gate_gradients`."""
    if products is not None and matrix is not None:
        dscale = (products * matrix).sum(2, dtype=doffsets.dtype)
    else:
        dscale = cast(Tensor, dscales).sum(1)
    doffset = doffsets.sum(1)
    return dscale, doffset, torch.addcmul(c * doffset, a, dscale)


def norm_gradients(
    gates: Tensor, dscale: Tensor, doffset: Tensor, dz: Tensor, t: Tensor,
    products: Tensor | None, squeezed: Tensor, a: Tensor, mean: Tensor, inverse_std: Tensor,
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:  # fmt: skip
    """See :func:`senet_mm.layers.fast_path.kernels.norm_gradients`."""
    dc = torch.addcmul(dz, gates, doffset).sum(0)
    da = torch.addcmul(dz * t, gates, dscale).sum(0)
    dt = dz * a
    dmatrix = None
    if products is not None:
        weighted = (products * (gates * a)[:, :, None]).sum(0)
        dmatrix = torch.addmm(weighted, dt.t(), squeezed)
    return dt, dmatrix, inverse_std * torch.addcmul(da, mean, dc, value=-1), dc
