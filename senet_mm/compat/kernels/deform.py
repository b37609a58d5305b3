"""torchvision's deformable convolution, forward and backward, with mmcv's gradients."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torchvision  # noqa: F401 (registers torch.ops.torchvision)
from torch import Tensor


class Geometry(NamedTuple):
    """What torchvision's kernels take after the tensors, in that order."""

    stride_h: int
    stride_w: int
    pad_h: int
    pad_w: int
    dilation_h: int
    dilation_w: int
    groups: int
    offset_groups: int


class Gradients(NamedTuple):
    """What torchvision's backward kernel returns."""

    input: Tensor
    weight: Tensor
    offset: Tensor
    mask: Tensor
    bias: Tensor


def forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    geometry: Geometry,
) -> Tensor:
    """The output; without ``mask``, all samples weigh 1."""
    tensors = _with_placeholders(input, weight, offset, mask, bias)
    return torch.ops.torchvision.deform_conv2d(*tensors, *geometry, mask is not None)


def backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    geometry: Geometry,
) -> Gradients:
    """The gradients in all arguments of :func:`forward`."""
    tensors = _with_placeholders(input, weight, offset, mask, bias)
    grads = Gradients(
        *torch.ops.torchvision._deform_conv2d_backward(
            grad_output, *tensors, *geometry, mask is not None
        )
    )
    _zero_outside(grads.offset, offset, weight, geometry)
    return grads


def _with_placeholders(
    input: Tensor, weight: Tensor, offset: Tensor, mask: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, ...]:
    """The kernels take a mask and a bias in any case."""
    if mask is None:
        mask = input.new_zeros(len(input), 1)
    if bias is None:
        bias = input.new_zeros(len(weight))
    return input, weight, offset, mask, bias


def _zero_outside(grad_offset: Tensor, offset: Tensor, weight: Tensor, geometry: Geometry) -> None:
    """Drop the gradient of sampling points at -1, where the sampled value just becomes zero.

    torchvision takes the slope towards pixel 0 there; mmcv takes none. With padding 1 and offsets
    that are still zero, as in a new layer, all points above and left of the image lie at -1.
    """
    (kernel_h, kernel_w), (out_h, out_w) = weight.shape[2:], offset.shape[2:]
    shape = len(offset), geometry.offset_groups, kernel_h, kernel_w, 2, out_h, out_w

    def positions(kernel: int, dilation: int, out: int, stride: int, pad: int) -> Tensor:
        taps = torch.arange(kernel, device=offset.device) * dilation
        return taps[:, None] + torch.arange(out, device=offset.device) * stride - pad

    y = positions(kernel_h, geometry.dilation_h, out_h, geometry.stride_h, geometry.pad_h)
    x = positions(kernel_w, geometry.dilation_w, out_w, geometry.stride_w, geometry.pad_w)
    offset_y, offset_x = offset.view(shape).unbind(4)
    grad_y, grad_x = grad_offset.view(shape).unbind(4)
    grad_y.masked_fill_(y[:, None, :, None] + offset_y <= -1, 0)
    grad_x.masked_fill_(x[:, None, :] + offset_x <= -1, 0)
