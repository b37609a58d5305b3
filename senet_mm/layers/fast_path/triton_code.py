"""What the Triton kernels do; kernels_triton.py launches them.

Forward sees a map as one row of numbers. Backward, which sums over positions, sees it as
(N, positions, C) with strides: a tile holds many positions of one channel where positions are
adjacent in memory, and some positions of many channels where channels are. Each program sums its
tiles in float32, in a fixed order; what reads the sums adds those of the programs.
"""

from __future__ import annotations

import triton
from triton import language as tl


@triton.jit
def gate_sum(
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
def backward(
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
def gate_gradients(
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
def norm_gradients(
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
