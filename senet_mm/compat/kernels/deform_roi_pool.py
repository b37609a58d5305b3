"""Pooling of regions of interest whose bins are moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from . import c_float


class _Samples(NamedTuple):
    """Where the P samples of a region's bins lie; all of (bins_h, bins_w, P) unless said."""

    image: int
    y: Tensor
    x: Tensor
    corners: tuple[Tensor, ...]  # pixels, y * W + x: 00, 01 (in x), 10, 11
    weights: tuple[Tensor, ...]  # of the corners; 0 outside the image
    near: Tensor  # whether a sample lies in the image or less than a pixel beside it
    size: Tensor  # height and width of the region, (2,)


def deform_roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    output: Tensor,
    **numbers: Any,
) -> None:
    """Average bilinear samples in each bin of each region, the bins moved by ``offset``.

    Args:
        input: (N, C, H, W).
        rois: (K, 5) as image index, x1, y1, x2, y2.
        offset: How far each bin is moved, x before y, in sizes of the region times ``gamma``,
            (K, 2, pooled_height, pooled_width), or empty.
        output: Output, (K, C, pooled_height, pooled_width).
        numbers: pooled_height, pooled_width, spatial_scale (from the coordinates of ``rois`` to
            those of ``input``), sampling_ratio (samples per bin and axis; 0 for one per pixel) and
            gamma.
    """
    for region, samples in enumerate(_sample(input, rois, offset, **numbers)):
        plane = input[samples.image].flatten(1)
        corners = zip(samples.corners, samples.weights, strict=True)
        values = torch.stack([plane[:, corner] * weight for corner, weight in corners]).sum(dim=0)
        output[region] = values.sum(dim=-1) / max(values.size(-1), 1)


def deform_roi_pool_backward(
    grad_output: Tensor,
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    **numbers: Any,
) -> None:
    """Gradients of :func:`deform_roi_pool_forward`.

    As in mmcv, samples beside the image have slopes that go on as at its edge, whereas the forward
    takes the value at the edge itself.

    Args:
        grad_output: (K, C, pooled_height, pooled_width).
        input: As for the forward.
        rois: As for the forward.
        offset: As for the forward.
        grad_input: Output.
        grad_offset: Output; untouched if ``offset`` is empty.
        numbers: As for the forward.
    """
    grad_input.zero_()
    gamma, width = c_float(numbers["gamma"]), input.size(3)
    for region, samples in enumerate(_sample(input, rois, offset, **numbers)):
        count = samples.y.size(-1)
        if not count:
            continue
        grad = (grad_output[region] / count)[..., None]
        into = grad_input[samples.image].view(input.size(1), -1)
        for corner, weight in zip(samples.corners, samples.weights, strict=True):
            into.index_add_(1, corner.flatten(), (grad * weight).flatten(1))
        if not offset.numel():
            continue
        plane = input[samples.image].flatten(1)
        v00, v01, v10, v11 = (plane[:, corner] for corner in samples.corners)
        first, last = samples.corners[0], samples.corners[3]
        y, y_low, y_high = samples.y, first // width, last // width
        x, x_low, x_high = samples.x, first % width, last % width
        slope_x = (v11 - v10) * (y - y_low) + (v01 - v00) * (y_high - y)
        slope_y = (v11 - v01) * (x - x_low) + (v10 - v00) * (x_high - x)
        height_of_region, width_of_region = samples.size
        for axis, slope, size in ((0, slope_x, width_of_region), (1, slope_y, height_of_region)):
            moved = grad * slope.masked_fill(~samples.near, 0)
            grad_offset[region, axis] = gamma * size * moved.sum(dim=(0, -1))


def _sample(
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    *,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    gamma: float,
) -> Iterator[_Samples]:
    scale, gamma = c_float(spatial_scale), c_float(gamma)
    height, width = input.shape[2:]
    bins = torch.tensor([pooled_height, pooled_width], device=rois.device, dtype=rois.dtype)
    starts, ends = rois[:, [2, 1]] * scale - 0.5, rois[:, [4, 3]] * scale - 0.5
    sizes = ends - starts
    bin_sizes = sizes / bins
    # mmcv rounds up with ceilf, whatever the type
    counts = bin_sizes.float().ceil().int().tolist()
    for region, image in enumerate(rois[:, 0].int().tolist()):
        positions = []
        for axis, pooled in enumerate((pooled_height, pooled_width)):
            count = sampling_ratio if sampling_ratio > 0 else max(counts[region][axis], 0)
            start, size = starts[region, axis], bin_sizes[region, axis]
            if offset.numel():  # x comes first
                start = start + gamma * sizes[region, axis] * offset[region, 1 - axis]
            else:
                start = start.expand(pooled_height, pooled_width)
            index = torch.arange(pooled, device=rois.device, dtype=rois.dtype)
            index = index[:, None] if axis == 0 else index
            within = torch.arange(count, device=rois.device, dtype=rois.dtype) + 0.5
            positions.append((start + index * size)[..., None] + within * size / max(count, 1))
        y, x = positions
        y, x = torch.broadcast_tensors(y[..., :, None], x[..., None, :])
        y, x = y.flatten(2), x.flatten(2)
        near = (y >= -1) & (y <= height) & (x >= -1) & (x <= width)
        y_low, y_high, y_weight = _between(y, height)
        x_low, x_high, x_weight = _between(x, width)
        corners = tuple(
            row * width + column for row in (y_low, y_high) for column in (x_low, x_high)
        )
        weights = tuple(
            (by_row * by_col).masked_fill(~near, 0)
            for by_row in (1 - y_weight, y_weight)
            for by_col in (1 - x_weight, x_weight)
        )
        yield _Samples(image, y, x, corners, weights, near, sizes[region])


def _between(position: Tensor, limit: int) -> tuple[Tensor, Tensor, Tensor]:
    """The pixels around positions along one axis, and the weight of the second."""
    position = position.clamp(0, limit - 1)
    low = position.long()
    return low, (low + 1).clamp(max=limit - 1), position - low
