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
            ours = cases(kernels, maps, device, dtype, _Values())
            theirs = cases(kernels_torch, exact, torch.device("cpu"), torch.float64, _Values())
            for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                error = (one.double().cpu() - other).norm() / other.norm()
                if not error <= tolerance:
                    return f"{name} {number} is off by {error:.1e} of its norm in {dtype}, {layout}"
    return ""


class _Values:
    """Numbers without a pattern that leave torch's generators as they are."""

    def __init__(self) -> None:
        self.at = 1

    def __call__(self, *size: int) -> Tensor:
        count = torch.Size(size).numel()
        numbers = torch.arange(self.at, self.at + count, dtype=torch.float64)
        self.at += count
        return (numbers * numbers * 0.7311).sin().float().reshape(size)


def _of_maps(
    kernels: ModuleType,
    maps: Sequence[Tensor],
    device: torch.device,
    dtype: torch.dtype,
    values: _Values,
) -> Iterator[Tensor]:
    y, shortcut, grad = maps
    accurate = torch.promote_types(dtype, torch.float32)
    scale, offset = (values(*_SIZE[:2], 1, 1).to(device, accurate) for _ in range(2))
    yield kernels.gate_sum(y, scale, offset, shortcut, in_place=False)
    yield kernels.gate_sum(y.clone(), scale, None, shortcut, in_place=True)
    out = shortcut.relu()  # any map that is zero here and there
    *dmaps, dscales, doffsets = kernels.gate_sum_backward(grad, out, y, scale)
    yield from (*dmaps, dscales.sum(1), doffsets.sum(1))
    masked, parts = kernels.mask_and_sum(grad, out)
    yield from (masked, parts.sum(1))


def _of_channels(
    kernels: ModuleType,
    maps: Sequence[Tensor],
    device: torch.device,
    dtype: torch.dtype,
    values: _Values,
) -> Iterator[Tensor]:
    images, channels = _SIZE[:2]
    accurate = torch.promote_types(dtype, torch.float32)

    def drawn(*size: int) -> Tensor:
        return values(*size).to(device, accurate)

    gates, dz, t = drawn(3, images, channels)
    a, c, mean, inverse_std = drawn(4, channels)
    matrix, squeezed = drawn(channels, _INPUTS), drawn(images, _INPUTS)
    products = drawn(images, channels, _INPUTS)
    dscales, doffsets = drawn(2, images, _PARTS, channels)
    for sums in ((dscales, doffsets, None, None), (None, doffsets, products, matrix)):
        dscale, doffset, dgates = kernels.gate_gradients(*sums, a, c)
        yield from (dscale, doffset, dgates)
        results = kernels.norm_gradients(
            gates, dscale, doffset, dz, t, sums[2], squeezed, a, mean, inverse_std
        )
        yield from (value for value in results if value is not None)
