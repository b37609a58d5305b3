"""Pooling of regions of interest."""

from __future__ import annotations

import torch
import torchvision  # noqa: F401 (registers torch.ops.torchvision)
from torch import Tensor

from . import c_float, unsupported

_AVERAGE = 1  # the other pool mode is the maximum


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Average bilinear samples in each bin of each region.

    For float64, mmcv counts the samples of ``sampling_ratio=0`` in single precision: where a bin is
    a whole number of pixels wide up to rounding, it may take one sample more or less than this.

    Args:
        input: (N, C, H, W).
        rois: (K, 5) as image index, x1, y1, x2, y2.
        output: Output, (K, C, aligned_height, aligned_width).
        argmax_y: Unused.
        argmax_x: Unused.
        aligned_height: Bins along y.
        aligned_width: Bins along x.
        spatial_scale: From the coordinates of ``rois`` to those of ``input``.
        sampling_ratio: Samples per bin and axis; 0 for one per pixel.
        pool_mode: 1 for the average.
        aligned: Whether pixel centres lie at .5.

    Raises:
        RuntimeError: If ``pool_mode`` is 0, the maximum.
    """
    if pool_mode != _AVERAGE:
        raise unsupported("roi_align with pool_mode='max'")
    output.copy_(
        torch.ops.torchvision.roi_align(
            input,
            rois,
            c_float(spatial_scale),
            aligned_height,
            aligned_width,
            sampling_ratio,
            aligned,
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient of :func:`roi_align_forward`.

    Args:
        grad_output: (K, C, aligned_height, aligned_width).
        rois: As for the forward.
        argmax_y: Unused.
        argmax_x: Unused.
        grad_input: Output, (N, C, H, W).
        aligned_height: As for the forward, like all that follow.
        aligned_width: Bins along x.
        spatial_scale: From the coordinates of ``rois`` to those of ``input``.
        sampling_ratio: Samples per bin and axis; 0 for one per pixel.
        pool_mode: 1 for the average; the forward has refused any other.
        aligned: Whether pixel centres lie at .5.
    """
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output,
            rois,
            c_float(spatial_scale),
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Take the maximum in each bin of each region.

    torchvision rounds a region to whole pixels and then divides it into bins; mmcv divides first.
    So each of mmcv's bins is given to torchvision as a region of its own, with a single bin.

    Args:
        input: (N, C, H, W).
        rois: (K, 5) as image index, x1, y1, x2, y2; the pixel at x2 belongs to the region.
        output: Output, (K, C, pooled_height, pooled_width). Empty bins become 0; a region of
            negative size is left as it is.
        argmax: Output, int32 in the shape of ``output``: where the maximum lies in its plane,
            ``y * W + x``, or -1 for an empty bin.
        pooled_height: Bins along y.
        pooled_width: Bins along x.
        spatial_scale: From the coordinates of ``rois`` to those of ``input``.
    """
    scale = c_float(spatial_scale)
    starts, ends = rois[:, 1:3] * scale, (rois[:, 3:5] + 1) * scale
    valid = (ends > starts).all(dim=1)
    rois, (x1, y1), (x2, y2) = rois[valid], starts[valid].unbind(1), ends[valid].unbind(1)
    left, right = _bin_edges(x1, x2, pooled_width, input.size(3))
    top, bottom = _bin_edges(y1, y2, pooled_height, input.size(2))

    left, right, top, bottom, image = torch.broadcast_tensors(
        left[:, None], right[:, None], top[..., None], bottom[..., None], rois[:, :1, None]
    )
    bins = torch.stack((image, left, top, right - 1, bottom - 1), dim=-1)
    maxima, places = torch.ops.torchvision.roi_pool(input, bins.flatten(0, 2).to(input), 1.0, 1, 1)

    def by_region(values: Tensor) -> Tensor:
        return values.view(*bins.shape[:3], input.size(1)).permute(0, 3, 1, 2)

    # torchvision has no empty region: it makes it one pixel wide
    empty = ((right <= left) | (bottom <= top))[:, None]
    output[valid] = by_region(maxima).masked_fill(empty, 0)
    argmax[valid] = by_region(places).masked_fill(empty, -1)


def roi_pool_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax: Tensor,
    grad_input: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Gradient of :func:`roi_pool_forward`.

    Args:
        grad_output: (K, C, pooled_height, pooled_width).
        rois: As for the forward.
        argmax: As the forward filled it.
        grad_input: Output, (N, C, H, W).
        pooled_height: As for the forward, like all that follow.
        pooled_width: Bins along x.
        spatial_scale: From the coordinates of ``rois`` to those of ``input``.
    """
    grad_input.copy_(
        torch.ops.torchvision._roi_pool_backward(
            grad_output,
            rois,
            argmax,
            spatial_scale,
            pooled_height,
            pooled_width,
            *grad_input.shape,
        )
    )


def _bin_edges(start: Tensor, end: Tensor, bins: int, limit: int) -> tuple[Tensor, Tensor]:
    """First pixels of the bins along one axis and first pixels after them, (K, bins) each."""
    index = torch.arange(bins, device=start.device, dtype=start.dtype)
    size = ((end - start) / bins)[:, None]
    # mmcv's kernel rounds with floorf and ceilf, whatever the type of its input
    first = (index * size + start[:, None]).float().floor()
    after = ((index + 1) * size + start[:, None]).float().ceil()
    return first.clamp(0, limit), after.clamp(0, limit)
