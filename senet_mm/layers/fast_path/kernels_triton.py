"""The steps of the fast path as Triton kernels: any size, contiguous or channels_last.

A map is seen as (N, positions, C) with strides, so one kernel serves both layouts: a tile holds
many positions of one channel where positions are adjacent in memory, and some positions of many
channels where channels are. Each program sums its tiles in float32, in a fixed order; torch adds
the sums of the programs.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
import triton
from torch import Tensor
from triton import language as tl

CHUNK = 4096  # positions per program


@triton.jit
def _gate_sum_kernel(
    y, scale, offset, shortcut, out, channels, positions, stride_n, stride_p, stride_c,
    HAS_OFFSET: tl.constexpr, CHUNK: tl.constexpr, TILE_P: tl.constexpr, TILE_C: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(2).to(tl.int64)
    c = tl.program_id(0) * TILE_C + tl.arange(0, TILE_C)
    has_c = c < channels
    a = tl.load(scale + n * channels + c, mask=has_c, other=0.0).to(tl.float32)[None, :]
    b = tl.zeros((1, TILE_C), tl.float32)
    if HAS_OFFSET:
        b += tl.load(offset + n * channels + c, mask=has_c, other=0.0).to(tl.float32)[None, :]
    for first in range(0, CHUNK, TILE_P):
        p = tl.program_id(1) * CHUNK + first + tl.arange(0, TILE_P)
        mask = (p < positions)[:, None] & has_c[None, :]
        at = n * stride_n + p[:, None] * stride_p + c[None, :] * stride_c
        value = tl.load(y + at, mask=mask, other=0.0).to(tl.float32) * a + b
        value += tl.load(shortcut + at, mask=mask, other=0.0).to(tl.float32)
        # not tl.maximum, which drops NaN
        value = tl.where(value <= 0, 0.0, value)
        tl.store(out + at, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def _backward_kernel(
    grad, out, y, scale, masked, dy, dscale, doffset, channels, positions, chunks,
    stride_n, stride_p, stride_c,
    HAS_Y: tl.constexpr, CHUNK: tl.constexpr, TILE_P: tl.constexpr, TILE_C: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(2).to(tl.int64)
    c = tl.program_id(0) * TILE_C + tl.arange(0, TILE_C)
    has_c = c < channels
    sum_g = tl.zeros((TILE_P, TILE_C), tl.float32)
    sum_gy = tl.zeros((TILE_P, TILE_C), tl.float32)
    if HAS_Y:
        a = tl.load(scale + n * channels + c, mask=has_c, other=0.0).to(tl.float32)[None, :]
    for first in range(0, CHUNK, TILE_P):
        p = tl.program_id(1) * CHUNK + first + tl.arange(0, TILE_P)
        mask = (p < positions)[:, None] & has_c[None, :]
        at = n * stride_n + p[:, None] * stride_p + c[None, :] * stride_c
        active = tl.load(out + at, mask=mask, other=0.0).to(tl.float32)
        g = tl.load(grad + at, mask=mask, other=0.0).to(tl.float32)
        g = tl.where(active <= 0, 0.0, g)
        tl.store(masked + at, g.to(masked.dtype.element_ty), mask=mask)
        sum_g += g
        if HAS_Y:
            sum_gy += g * tl.load(y + at, mask=mask, other=0.0).to(tl.float32)
            tl.store(dy + at, (g * a).to(dy.dtype.element_ty), mask=mask)
    part = (n * chunks + tl.program_id(1)) * channels + c
    tl.store(doffset + part, tl.sum(sum_g, 0), mask=has_c)
    if HAS_Y:
        tl.store(dscale + part, tl.sum(sum_gy, 0), mask=has_c)


def gate_sum(
    y: Tensor, scale: Tensor, offset: Tensor | None, shortcut: Tensor, *, in_place: bool
) -> Tensor:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum`."""
    y, layout = _dense(y)
    shortcut = shortcut.contiguous(memory_format=layout)
    out = y if in_place else torch.empty_like(y)
    _launch(
        _gate_sum_kernel, y,
        (y, scale.contiguous(), y if offset is None else offset.contiguous(), shortcut, out),
        HAS_OFFSET=offset is not None,
    )  # fmt: skip
    return out


def gate_sum_backward(
    grad: Tensor, out: Tensor, y: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum_backward`."""
    y, layout = _dense(y)
    masked, dy = torch.empty_like(y), torch.empty_like(y)
    dscale, doffset = _parts(y), _parts(y)
    grad, out = (x.contiguous(memory_format=layout) for x in (grad, out))
    _launch(
        _backward_kernel, y,
        (grad, out, y, scale.contiguous(), masked, dy, dscale, doffset), HAS_Y=True,
    )  # fmt: skip
    return masked, dy, _total(dscale, scale.dtype), _total(doffset, scale.dtype)


def mask_and_sum(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`senet_mm.layers.fast_path.kernels.mask_and_sum`."""
    out, layout = _dense(out)
    masked, total = torch.empty_like(out), _parts(out)
    grad = grad.contiguous(memory_format=layout)
    _launch(_backward_kernel, out, (grad, out, out, out, masked, out, total, total), HAS_Y=False)
    return masked, _total(total, torch.float32)


def _dense(x: Tensor) -> tuple[Tensor, torch.memory_format]:
    """The map and its layout; the map is copied if it has neither of the two."""
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    return x.contiguous(memory_format=layout), layout


def _parts(x: Tensor) -> Tensor:
    """Room for the sums of each program: (N, chunks, C)."""
    n, c, height, width = x.shape
    return x.new_empty(n, triton.cdiv(height * width, CHUNK), c, dtype=torch.float32)


def _total(parts: Tensor, dtype: torch.dtype) -> Tensor:
    return parts.sum(1).to(dtype)[:, :, None, None]


def _launch(kernel: triton.JITFunction, like: Tensor, tensors: tuple, **options: bool) -> None:
    n, c, height, width = like.shape
    positions = height * width
    chunks = triton.cdiv(positions, CHUNK)
    if like.is_contiguous():
        strides, tiles = (c * positions, 1, positions), (min(1024, _power(positions)), 1)
    else:
        tile = min(64, _power(c))
        strides, tiles = (positions * c, c, 1), (max(1024 // tile, 1), tile)
    sizes = (c, positions) if kernel is _gate_sum_kernel else (c, positions, chunks)
    grid = (triton.cdiv(c, tiles[1]), chunks, n)
    with torch.cuda.device(like.device) if like.is_cuda else nullcontext():
        kernel[grid](
            *tensors, *sizes, *strides, **options,
            CHUNK=min(CHUNK, _power(positions)), TILE_P=min(tiles[0], _power(positions)),
            TILE_C=tiles[1],
        )  # fmt: skip


def _power(size: int) -> int:
    return triton.next_power_of_2(size)
