"""CARAFE: upsampling by a kernel of its own for every output pixel.

Shapes, with g groups, a kernel of k x k points and a factor s: ``features`` is (N, C, H, W),
``masks`` (the kernels) (N, g * k * k, s * H, s * W) and ``output`` (N, C, s * H, s * W).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor


def carafe_naive_forward(
    features: Tensor,
    masks: Tensor,
    output: Tensor,
    *,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Weigh the k x k neighbours of each input pixel anew for each of its s x s output pixels.

    Args:
        features: See the module for the shapes.
        masks: The kernels.
        output: Output.
        kernel_size: Points of a kernel along one axis, odd.
        group_size: Number of groups of channels that share kernels.
        scale_factor: Factor of the size.
    """
    total = _split(output, group_size, scale_factor).zero_()
    kernels = _kernels(masks, group_size, scale_factor)
    neighbours = _windows(_padded(features, kernel_size), features, group_size, kernel_size)
    for point, window in enumerate(neighbours):
        total += window * kernels[:, :, point]


def carafe_naive_backward(
    top_grad: Tensor,
    features: Tensor,
    masks: Tensor,
    bottom_grad: Tensor,
    mask_grad: Tensor,
    *,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Gradients of :func:`carafe_naive_forward`.

    Args:
        top_grad: Gradient in the forward's output.
        features: As for the forward.
        masks: As for the forward.
        bottom_grad: Output, the gradient in ``features``.
        mask_grad: Output.
        kernel_size: As for the forward, like all that follow.
        group_size: Number of groups.
        scale_factor: Factor of the size.
    """
    grad = _split(top_grad, group_size, scale_factor)
    kernels = _kernels(masks, group_size, scale_factor)
    kernel_grads = _kernels(mask_grad, group_size, scale_factor)
    padded = _padded(features, kernel_size)
    padded_grad = padded.new_zeros(padded.shape)
    neighbours = _windows(padded, features, group_size, kernel_size)
    neighbour_grads = _windows(padded_grad, features, group_size, kernel_size)
    for point, (window, window_grad) in enumerate(zip(neighbours, neighbour_grads, strict=True)):
        kernel_grads[:, :, point] = (grad * window).sum(dim=2, keepdim=True)
        window_grad += (grad * kernels[:, :, point]).sum(dim=(4, 6), keepdim=True)
    edge = kernel_size // 2
    height, width = features.shape[2:]
    bottom_grad.copy_(padded_grad[:, :, edge : edge + height, edge : edge + width])


def carafe_forward(
    features: Tensor,
    masks: Tensor,
    rfeatures: Tensor,
    routput: Tensor,
    rmasks: Tensor,
    output: Tensor,
    **numbers: int,
) -> None:
    """What :func:`carafe_naive_forward` computes.

    Args:
        features: As there.
        masks: As there.
        rfeatures: Takes ``features`` along to :func:`carafe_backward`.
        routput: Unused.
        rmasks: Unused.
        output: Output.
        numbers: As there.
    """
    rfeatures.copy_(features)
    carafe_naive_forward(features, masks, output, **numbers)


def carafe_backward(
    top_grad: Tensor,
    rfeatures: Tensor,
    masks: Tensor,
    rtop_grad: Tensor,
    rbottom_grad_hs: Tensor,
    rbottom_grad: Tensor,
    rmask_grad: Tensor,
    bottom_grad: Tensor,
    mask_grad: Tensor,
    **numbers: int,
) -> None:
    """Gradients of :func:`carafe_forward`.

    Args:
        top_grad: Gradient in the forward's output.
        rfeatures: As :func:`carafe_forward` left it.
        masks: As for the forward.
        rtop_grad: Unused.
        rbottom_grad_hs: Unused.
        rbottom_grad: Unused.
        rmask_grad: Unused.
        bottom_grad: Output, the gradient in the features.
        mask_grad: Output.
        numbers: As for the forward.
    """
    carafe_naive_backward(top_grad, rfeatures, masks, bottom_grad, mask_grad, **numbers)


def _split(values: Tensor, groups: int, scale: int) -> Tensor:
    """(N, C, s * H, s * W) seen as (N, g, C / g, H, s, W, s)."""
    images, channels, height, width = values.shape
    shape = images, groups, channels // groups, height // scale, scale, width // scale, scale
    return values.view(shape)


def _kernels(masks: Tensor, groups: int, scale: int) -> Tensor:
    """The kernels seen as (N, g, k * k, 1, H, s, W, s)."""
    return _split(masks, groups, scale).unsqueeze(3)


def _padded(features: Tensor, kernel_size: int) -> Tensor:
    return F.pad(features, [kernel_size // 2] * 4)


def _windows(padded: Tensor, features: Tensor, groups: int, kernel_size: int) -> Iterator[Tensor]:
    """The neighbours of all pixels at each point of the kernel, (N, g, C / g, H, 1, W, 1) each."""
    height, width = features.shape[2:]
    grouped = padded.unflatten(1, (groups, -1))
    for y in range(kernel_size):
        for x in range(kernel_size):
            yield grouped[..., y : y + height, None, x : x + width, None]
