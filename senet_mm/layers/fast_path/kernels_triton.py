"""The steps of the fast path as Triton kernels: any size, contiguous or channels_last."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
import triton
from torch import Tensor

from . import triton_code

BLOCK = 2048  # elements per program of forward
CHUNK = 4096  # positions per program of backward where channels are apart, and where they adjoin
CHUNK_LAST = 128


def gate_sum(
    y: Tensor, scale: Tensor, offset: Tensor | None, shortcut: Tensor, *, in_place: bool
) -> Tensor:
    """See :func:`senet_mm.layers.fast_path.kernels.gate_sum`."""
    y, layout = _dense(y)
    shortcut = shortcut.contiguous(memory_format=layout)
    out = y if in_place else torch.empty_like(y)
    size, channels = y.numel(), y.shape[1]
    with _on(y):
        triton_code.gate_sum[(triton.cdiv(size, BLOCK),)](
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
        triton_code.gate_gradients[(triton.cdiv(channels, tile_c), n)](
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
        triton_code.norm_gradients[(triton.cdiv(channels, tile_c), triton.cdiv(inputs, tile_k))](
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
        triton_code.backward[(triton.cdiv(c, tile_c), chunks, n)](
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
