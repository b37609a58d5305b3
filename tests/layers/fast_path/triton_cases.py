"""The Triton kernels against float64: on the default device, or through Triton's interpreter.

For the latter it runs in a process of its own: Triton reads TRITON_INTERPRET when it is imported.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from senet_mm.layers.fast_path import kernels_triton as kernels

# sides odd, one position, more channels than a tile, more positions than a program
SIZES = [(2, 5, 7, 9), (1, 64, 1, 1), (2, 70, 3, 5), (1, 1, 65, 64)]
DTYPES = {torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 8e-3}
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def close(ours: Tensor, expected: Tensor, tolerance: float) -> None:
    assert ours.shape == expected.shape
    assert (ours.double() - expected).norm() <= tolerance * expected.norm()


def check(
    size: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format, has_offset: bool
) -> None:
    torch.manual_seed(0)
    y, shortcut, grad = (torch.randn(size).to(dtype).to(memory_format=layout) for _ in range(3))
    scale, offset = torch.rand(*size[:2], 1, 1), torch.randn(*size[:2], 1, 1)
    exact = [value.double().requires_grad_() for value in (y, scale, offset, shortcut)]
    expected = torch.relu(exact[0] * exact[1] + (exact[2] if has_offset else 0) + exact[3])
    tolerance = DTYPES[dtype]
    out = kernels.gate_sum(y, scale, offset if has_offset else None, shortcut, in_place=False)
    close(out, expected, tolerance)
    assert out.dtype == dtype and out.stride() == y.stride()
    # the same mask in both
    loss = (torch.where(out > 0, exact[0] * exact[1] + exact[2] + exact[3], 0) * grad).sum()
    dy, dscale, doffset, dshortcut = torch.autograd.grad(loss, exact)
    masked, ours, *parts = kernels.gate_sum_backward(grad, out, y, scale)
    close(masked, dshortcut, tolerance)
    close(ours, dy, tolerance)
    for part, total in zip(parts, (dscale, doffset), strict=True):
        close(part.sum(1), total[:, :, 0, 0], 1e-6)
    masked, parts = kernels.mask_and_sum(grad, out)
    close(masked, dshortcut, tolerance)
    close(parts.sum(1), doffset[:, :, 0, 0], 1e-6)
    in_place = kernels.gate_sum(y, scale, None, shortcut, in_place=True)
    assert in_place.data_ptr() == y.data_ptr()


def check_small(images: int, channels: int, inputs: int, parts: int, dtype: torch.dtype) -> None:
    """The gradients behind gates and fixed norm, against autograd."""
    torch.manual_seed(0)
    gates, dz, t = torch.rand(3, images, channels)
    weight, bias, mean = torch.randn(3, channels)
    var, eps = 0.5 + torch.rand(channels), 1e-3
    matrix, squeezed = torch.randn(channels, inputs), torch.randn(images, inputs)
    products = torch.randn(images, channels, inputs).to(dtype)
    dscales, doffsets = torch.randn(2, images, parts, channels)

    leaves = [value.double().requires_grad_() for value in (gates, weight, bias, t, matrix)]
    g, w, b, before, m = leaves
    a = w / (var.double() + eps).sqrt()
    scale, offset = g * a, g * (b - mean * a)
    inverse_std = 1 / (var + eps).sqrt()
    norm = weight * inverse_std, bias - mean * weight * inverse_std
    rest = norm[0], mean, inverse_std
    z = before * a + b - mean * a

    # behind a convolution of its own
    loss = (scale * dscales.sum(1)).sum() + (offset * doffsets.sum(1)).sum()
    dgates, dw, db, dt = torch.autograd.grad(loss + (z * dz).sum(), leaves[:4], retain_graph=True)
    *sums, ours = kernels.gate_gradients(dscales, doffsets, None, None, *norm)
    close(ours, dgates, 1e-5)
    for one, parts_of_one in zip(sums, (dscales, doffsets), strict=True):
        close(one, parts_of_one.double().sum(1), 1e-6)
    ours = kernels.norm_gradients(gates, *sums, dz, t, None, t, *rest)
    assert ours[1] is None
    for one, exact in zip((ours[0], *ours[2:]), (dt, dw, db), strict=True):
        close(one, exact, 1e-5)

    # and with the products of a 1x1 convolution
    z = (squeezed.double() @ m.t()) * a + b - mean * a
    loss = (scale[:, :, None] * m * products.double()).sum() + (offset * doffsets.sum(1)).sum()
    dgates, dw, db, dm = torch.autograd.grad(loss + (z * dz).sum(), [g, w, b, m])
    *sums, ours = kernels.gate_gradients(None, doffsets, products, matrix, *norm)
    close(ours, dgates, 1e-5)
    t = squeezed @ matrix.t()
    dt, *ours = kernels.norm_gradients(gates, *sums, dz, t, products, squeezed, *rest)
    close(dt, dz.double() * a, 1e-6)
    for one, exact in zip(ours, (dm, dw, db), strict=True):
        close(one, exact, 1e-5)


def check_nan() -> None:
    y = torch.ones(1, 2, 2, 2)
    y[0, 0, 0, 0], y[0, 1, 1, 1] = torch.nan, torch.inf
    ones, zeros = torch.ones(1, 2, 1, 1), torch.zeros(1, 2, 2, 2)
    out = kernels.gate_sum(y, ones, None, zeros, in_place=False)
    assert torch.equal(out.isnan(), y.isnan()) and torch.equal(out.isinf(), y.isinf())
    masked, _ = kernels.mask_and_sum(torch.ones_like(y), out)
    assert torch.equal(masked, torch.ones_like(y))  # as torch's ReLU


def check_all() -> None:
    for size, layout in itertools.product(SIZES, LAYOUTS):
        check(size, torch.float32, layout, has_offset=True)
    for dtype, layout in itertools.product(DTYPES, LAYOUTS):
        check(SIZES[0], dtype, layout, has_offset=False)
    check_nan()
    check_small(1, 5, 3, 1, torch.float32)
    check_small(3, 300, 70, 4, torch.float32)
    check_small(2, 65, 257, 3, torch.bfloat16)


if __name__ == "__main__":
    check_all()
