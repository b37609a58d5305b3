"""The steps of the fast path as Triton kernels: any size, contiguous or channels_last.

Forward sees a map as one row of numbers. Backward, which sums over positions, sees it as
(N, positions, C) with strides: a tile holds many positions of one channel where positions are
adjacent in memory, and some positions of many channels where channels are. Each program sums its
tiles in float32, in a fixed order; what reads the sums adds those of the programs.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
import triton
from torch import Tensor
from triton import language as tl

BLOCK = 2048  # elements per program of forward
CHUNK = 4096  # positions per program of backward where channels are apart, and where they adjoin
CHUNK_LAST = 128


@triton.jit
def _gate_sum_kernel(
    y, scale, offset, shortcut, out, channels, positions, size,
    HAS_OFFSET: tl.constexpr, LAST: tl.constexpr, LARGE: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    program = tl.program_id(0)
    if LARGE:  # dividing is slower there
        program = program.to(tl.int64)
    at = program * BLOCK + tl.arange(0, BLOCK)
    mask = at < size
    nc = at // (positions * channels) * channels + at % channels if LAST else at // positions
    value = tl.load(y + at, mask=mask, other=0.0).to(tl.float32)
    value *= tl.load(scale + nc, mask=mask, other=0.0).to(tl.float32)
    if HAS_OFFSET:
        value += tl.load(offset + nc, mask=mask, other=0.0).to(tl.float32)
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


@triton.jit
def _gate_gradients_kernel(
    products, matrix, dscales, doffsets, a, b, dscale, doffset, dgates,
    channels, inputs, chunks,
    HAS_PRODUCTS: tl.constexpr, TILE_C: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    n = tl.program_id(1).to(tl.int64)
    c = tl.program_id(0) * TILE_C + tl.arange(0, TILE_C)
    has_c = c < channels
    da = tl.zeros((TILE_C,), tl.float32)
    dc = tl.zeros((TILE_C,), tl.float32)
    for chunk in range(chunks):
        part = (n * chunks + chunk) * channels + c
        dc += tl.load(doffsets + part, mask=has_c, other=0.0)
        if not HAS_PRODUCTS:
            da += tl.load(dscales + part, mask=has_c, other=0.0)
    if HAS_PRODUCTS:
        total = tl.zeros((TILE_C, TILE_K), tl.float32)
        for first in range(0, inputs, TILE_K):
            k = first + tl.arange(0, TILE_K)
            mask = has_c[:, None] & (k < inputs)[None, :]
            at = c[:, None] * inputs + k[None, :]
            product = tl.load(products + n * channels * inputs + at, mask=mask, other=0.0)
            total += product.to(tl.float32) * tl.load(matrix + at, mask=mask, other=0.0).to(
                tl.float32
            )
        da += tl.sum(total, 1)
    at = n * channels + c
    tl.store(dscale + at, da, mask=has_c)
    tl.store(doffset + at, dc, mask=has_c)
    da *= tl.load(a + c, mask=has_c, other=0.0)
    da += dc * tl.load(b + c, mask=has_c, other=0.0)
    tl.store(dgates + at, da, mask=has_c)


@triton.jit
def _norm_gradients_kernel(
    gates, dscale, doffset, dz, t, products, squeezed, scale, mean, inverse_std,
    dt, dmatrix, dweight, dbias, images, channels, inputs,
    HAS_PRODUCTS: tl.constexpr, TILE_C: tl.constexpr, TILE_K: tl.constexpr,
):  # fmt: skip
    c = tl.program_id(0) * TILE_C + tl.arange(0, TILE_C)
    has_c = c < channels
    a = tl.load(scale + c, mask=has_c, other=0.0)
    # of the programs that share these channels one writes what is of channels
    writes = has_c & (tl.zeros((TILE_C,), tl.int32) + tl.program_id(1) == 0)
    da = tl.zeros((TILE_C,), tl.float32)
    dc = tl.zeros((TILE_C,), tl.float32)
    if HAS_PRODUCTS:
        k = tl.program_id(1) * TILE_K + tl.arange(0, TILE_K)
        has_k = k < inputs
        mask = has_c[:, None] & has_k[None, :]
        total = tl.zeros((TILE_C, TILE_K), tl.float32)
    for n in range(images):
        at = n * channels + c
        gate = tl.load(gates + at, mask=has_c, other=0.0)
        grad = tl.load(dz + at, mask=has_c, other=0.0)
        da += gate * tl.load(dscale + at, mask=has_c, other=0.0)
        da += grad * tl.load(t + at, mask=has_c, other=0.0)
        dc += gate * tl.load(doffset + at, mask=has_c, other=0.0) + grad
        tl.store(dt + at, grad * a, mask=writes)
        if HAS_PRODUCTS:
            where = at.to(tl.int64)[:, None] * inputs + k[None, :]
            product = tl.load(products + where, mask=mask, other=0.0).to(tl.float32)
            means = tl.load(squeezed + n * inputs + k, mask=has_k, other=0.0)
            total += (gate * a)[:, None] * product + (grad * a)[:, None] * means[None, :]
    da -= dc * tl.load(mean + c, mask=has_c, other=0.0).to(tl.float32)
    da *= tl.load(inverse_std + c, mask=has_c, other=0.0)
    tl.store(dweight + c, da, mask=writes)
    tl.store(dbias + c, dc, mask=writes)
    if HAS_PRODUCTS:
        at = c[:, None] * inputs + k[None, :]
        tl.store(dmatrix + at, total.to(dmatrix.dtype.element_ty), mask=mask)


def gate_sum(
    y: Tensor, scale: Tensor, offset: Tensor | None, shortcut: Tensor, *, in_place: bool
) -> Tensor:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum`."""
    y, layout = _dense(y)
    shortcut = shortcut.contiguous(memory_format=layout)
    out = y if in_place else torch.empty_like(y)
    size, channels = y.numel(), y.shape[1]
    with _on(y):
        _gate_sum_kernel[(triton.cdiv(size, BLOCK),)](
            y, scale.contiguous(), y if offset is None else offset.contiguous(), shortcut, out,
            channels, y[0, 0].numel(), size,
            HAS_OFFSET=offset is not None, LAST=layout == torch.channels_last,
            LARGE=size + BLOCK > 2**31, BLOCK=BLOCK,
        )  # fmt: skip
    return out


def gate_sum_backward(
    grad: Tensor, out: Tensor, y: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum_backward`."""
    y, layout = _dense(y)
    masked, dy = torch.empty_like(y), torch.empty_like(y)
    grad, out = (x.contiguous(memory_format=layout) for x in (grad, out))
    dscale, doffset = _backward(grad, out, y, scale.contiguous(), masked, dy, HAS_Y=True)
    return masked, dy, dscale, doffset


def mask_and_sum(grad: Tensor, out: Tensor) -> tuple[Tensor, Tensor]:
    """See :func:`senet_mm.layers.fast_path.kernels.mask_and_sum`."""
    out, layout = _dense(out)
    masked = torch.empty_like(out)
    grad = grad.contiguous(memory_format=layout)
    _, total = _backward(grad, out, out, out, masked, out, HAS_Y=False)
    return masked, total


def gate_gradients(
    dscales: Tensor | None, doffsets: Tensor, products: Tensor | None, matrix: Tensor | None,
    a: Tensor, c: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """See :func:`senet_mm.layers.fast_path.kernels.gate_gradients`."""
    n, chunks, channels = doffsets.shape
    dscale, doffset, dgates = doffsets.new_empty(3, n, channels)
    inputs = 1 if products is None else products.shape[2]
    tile_c, tile_k = _tiles(products, channels)
    with _on(doffsets):
        _gate_gradients_kernel[(triton.cdiv(channels, tile_c), n)](
            doffsets if products is None else products, doffsets if matrix is None else matrix,
            doffsets if dscales is None else dscales, doffsets, a, c, dscale, doffset, dgates,
            channels, inputs, chunks,
            HAS_PRODUCTS=products is not None, TILE_C=tile_c, TILE_K=tile_k,
        )  # fmt: skip
    return dscale, doffset, dgates


def norm_gradients(
    gates: Tensor, dscale: Tensor, doffset: Tensor, dz: Tensor, t: Tensor,
    products: Tensor | None, squeezed: Tensor, a: Tensor, mean: Tensor, inverse_std: Tensor,
) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:  # fmt: skip
    """See :func:`senet_mm.layers.fast_path.kernels.norm_gradients`."""
    images, channels = gates.shape
    dt = torch.empty_like(gates)
    dweight, dbias = gates.new_empty(2, channels)
    inputs = 1 if products is None else products.shape[2]
    dmatrix = None if products is None else gates.new_empty(channels, inputs)
    tile_c, tile_k = _tiles(products, channels)
    with _on(gates):
        _norm_gradients_kernel[(triton.cdiv(channels, tile_c), triton.cdiv(inputs, tile_k))](
            gates, dscale, doffset, dz, t, gates if products is None else products, squeezed,
            a, mean, inverse_std, dt, gates if dmatrix is None else dmatrix, dweight, dbias,
            images, channels, inputs,
            HAS_PRODUCTS=products is not None, TILE_C=tile_c, TILE_K=tile_k,
        )  # fmt: skip
    return dt, dmatrix, dweight, dbias


def _dense(x: Tensor) -> tuple[Tensor, torch.memory_format]:
    """The map and its layout; the map is copied if it has neither of the two."""
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    layout = torch.channels_last if last else torch.contiguous_format
    return x.contiguous(memory_format=layout), layout


def _backward(
    grad: Tensor, out: Tensor, y: Tensor, scale: Tensor, masked: Tensor, dy: Tensor, *, HAS_Y: bool
) -> tuple[Tensor, Tensor]:
    """Launch the kernel of backward; the sums of its programs: (N, chunks, C) each."""
    n, c, height, width = out.shape
    positions = height * width
    if out.is_contiguous():
        chunk = min(CHUNK, _power(positions))
        # a row of few positions should not leave most of a tile empty
        tile_p, tile_c = min(1024 if positions >= CHUNK else 512, chunk), 1
        strides = (c * positions, 1, positions)
    else:
        chunk, tile_c = min(CHUNK_LAST, _power(positions)), min(128, _power(c))
        tile_p = min(max(2048 // tile_c, 1), chunk)
        strides = (positions * c, c, 1)
    chunks = triton.cdiv(positions, chunk)
    dscale, doffset = out.new_empty(2, n, chunks, c, dtype=torch.float32)
    with _on(out):
        _backward_kernel[(triton.cdiv(c, tile_c), chunks, n)](
            grad, out, y, scale, masked, dy, dscale, doffset, c, positions, chunks, *strides,
            HAS_Y=HAS_Y, CHUNK=chunk, TILE_P=tile_p, TILE_C=tile_c,
        )  # fmt: skip
    return dscale, doffset


def _tiles(products: Tensor | None, channels: int) -> tuple[int, int]:
    """Tile sizes of the kernels that read a product per image: rows and columns."""
    if products is None:
        return min(256, _power(channels)), 1
    columns = min(256, _power(products.shape[2]))
    return min(_power(channels), max(1024 // columns, 1)), columns


def _on(x: Tensor) -> Any:
    """Kernels start on the current device."""
    if not x.is_cuda or x.device.index == torch.cuda.current_device():
        return nullcontext()
    return torch.cuda.device(x.device)


def _power(size: int) -> int:
    return triton.next_power_of_2(size)
