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
    ours = kernels.gate_sum_backward(grad, out, y, scale)
    for mine, other in zip(ours, (dshortcut, dy, dscale, doffset), strict=True):
        close(mine, other, tolerance)
    masked, total = kernels.mask_and_sum(grad, out)
    close(masked, dshortcut, tolerance)
    close(total, doffset, 1e-6)
    in_place = kernels.gate_sum(y, scale, None, shortcut, in_place=True)
    assert in_place.data_ptr() == y.data_ptr()


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


if __name__ == "__main__":
    check_all()
