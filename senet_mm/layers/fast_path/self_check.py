"""Kernels against plain torch in float64, on a small case whose sizes are odd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType

import torch
from torch import Tensor

from . import kernels_torch

_TOLERANCE = {torch.float16: 2e-3, torch.bfloat16: 2e-2}  # relative; of float32 1e-5
_SIZE = (2, 37, 9, 7)  # more channels than many a tile holds, and no power of two
_INPUTS, _PARTS = 19, 3


def difference(
    kernels: ModuleType, device: torch.device, dtype: torch.dtype, layout: torch.memory_format
) -> str:
    """What the kernels compute otherwise than plain torch, in words; empty if they agree.

    Args:
        kernels: Has the functions of :mod:`senet_mm.layers.fast_path.kernels`.
        device, dtype, layout: Of the maps.
    """
    values = _Values()
    maps = [values(*_SIZE).to(device, dtype).to(memory_format=layout) for _ in range(3)]
    # what rounding to the type of the maps has left of them
    exact = [value.double().cpu().contiguous() for value in maps]
    tolerance = _TOLERANCE.get(dtype, 1e-5)
    with torch.no_grad():
        for name, cases in (("map", _of_maps), ("channel", _of_channels)):
            ours, theirs = cases(kernels, maps), cases(kernels_torch, exact)
            for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                error = (one.double().cpu() - other).norm() / other.norm()
                if not error <= tolerance:
                    return f"{name} {number} is off by {error:.1e} of its norm in {dtype}, {layout}"
    return ""


class _Values:
    """Numbers without a pattern that leave torch's generators as they are.

    Args:
        like: They are on its device, and in its type or float32, whichever is the larger.
    """

    def __init__(self, like: Tensor | None = None) -> None:
        self._like = torch.empty(0) if like is None else like
        self._at = 1

    def __call__(self, *size: int) -> Tensor:
        count = torch.Size(size).numel()
        numbers = torch.arange(self._at, self._at + count, dtype=torch.float64)
        self._at += count
        dtype = torch.promote_types(self._like.dtype, torch.float32)
        values = (numbers * numbers * 0.7311).sin().float().reshape(size)
        return values.to(self._like.device, dtype)


def _of_maps(kernels: ModuleType, maps: Sequence[Tensor]) -> Iterator[Tensor]:
    y, shortcut, grad = maps
    scale, offset = _Values(y)(2, *_SIZE[:2], 1, 1)
    yield kernels.gate_sum(y, scale, offset, shortcut, in_place=False)
    yield kernels.gate_sum(y.clone(), scale, None, shortcut, in_place=True)
    out = shortcut.relu()  # any map that is zero here and there
    *dmaps, dscales, doffsets = kernels.gate_sum_backward(grad, out, y, scale)
    yield from (*dmaps, dscales.sum(1), doffsets.sum(1))
    masked, parts = kernels.mask_and_sum(grad, out)
    yield from (masked, parts.sum(1))


def _of_channels(kernels: ModuleType, maps: Sequence[Tensor]) -> Iterator[Tensor]:
    (images, channels), values = _SIZE[:2], _Values(maps[0])
    gates, dz, t = values(3, images, channels)
    a, c, mean, inverse_std = values(4, channels)
    matrix, squeezed = values(channels, _INPUTS), values(images, _INPUTS)
    products = values(images, channels, _INPUTS)
    dscales, doffsets = values(2, images, _PARTS, channels)
    for sums in ((dscales, doffsets, None, None), (None, doffsets, products, matrix)):
        dscale, doffset, dgates = kernels.gate_gradients(*sums, a, c)
        yield from (dscale, doffset, dgates)
        results = kernels.norm_gradients(
            gates, dscale, doffset, dz, t, sums[2], squeezed, a, mean, inverse_std
        )
        yield from (value for value in results if value is not None)
