"""Deformable convolutions, without (v1) and with (v2) modulation.

Shapes, with G groups of offsets and a kernel of K = kernel_h * kernel_w points: ``input`` is
(N, C, H, W), ``weight`` (C_out, C / group, kernel_h, kernel_w), ``bias`` (C_out,), ``offset``
(N, G * K * 2, H_out, W_out) with y before x, ``mask`` (N, G * K, H_out, W_out) and ``output``
(N, C_out, H_out, W_out). Gradients have the shape of what they are the gradient of.

With modulation, mmcv reads the offsets and the mask of an image from memory as if they had the
size of the output, whatever their own is. mmdet's DyHead is trained that way: it samples a smaller
level with the offsets of a larger one. Without modulation, mmcv refuses other sizes.
"""

from __future__ import annotations

from torch import Tensor

from . import deform


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    **numbers: int,
) -> None:
    """Deformable convolution.

    Args:
        input: See the module for the shapes.
        weight: The kernel.
        offset: How far each sampling point is moved.
        output: Output.
        columns: Unused.
        ones: Unused.
        numbers: kW, kH, dW, dH, padW, padH, dilationW, dilationH, group, deformable_group and
            im2col_step, which is unused: torchvision chooses how many images it takes at a time.
    """
    output.copy_(deform.forward(input, weight, offset, None, None, _geometry_v1(**numbers)))


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    gradOutput: Tensor,
    gradInput: Tensor,
    gradOffset: Tensor,
    weight: Tensor,
    columns: Tensor,
    **numbers: int,
) -> None:
    """Gradients of :func:`deform_conv_forward` in ``input`` and ``offset``.

    Args:
        input: As for the forward.
        offset: As for the forward.
        gradOutput: Gradient in the forward's output.
        gradInput: Output.
        gradOffset: Output.
        weight: As for the forward.
        columns: Takes the gradient in ``weight`` along to :func:`deform_conv_backward_parameters`.
        numbers: As for the forward.
    """
    grads = deform.backward(gradOutput, input, weight, offset, None, None, _geometry_v1(**numbers))
    gradInput.copy_(grads.input)
    gradOffset.copy_(grads.offset)
    # torchvision computes all gradients at once; mmcv passes the same scratch tensor to both calls
    columns.grad_weight_of = gradOutput, grads.weight  # type: ignore[attr-defined]


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    gradOutput: Tensor,
    gradWeight: Tensor,
    columns: Tensor,
    ones: Tensor,
    *,
    scale: float,
    **numbers: int,
) -> None:
    """Gradient of :func:`deform_conv_forward` in ``weight``.

    Args:
        input: As for the forward.
        offset: As for the forward.
        gradOutput: Gradient in the forward's output.
        gradWeight: Output.
        columns: As :func:`deform_conv_backward_input` left it, if it ran before.
        ones: Unused.
        scale: Factor of the gradient.
        numbers: As for the forward.
    """
    known_for, grad_weight = columns.__dict__.pop("grad_weight_of", (None, None))
    if known_for is not gradOutput:
        # gradWeight has the shape of the weight, whose values do not matter here
        grad_weight = deform.backward(
            gradOutput, input, gradWeight, offset, None, None, _geometry_v1(**numbers)
        ).weight
    gradWeight.copy_(grad_weight * scale)


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    *,
    with_bias: bool,
    **numbers: int,
) -> None:
    """Deformable convolution whose samples have weights.

    Args:
        input: See the module for the shapes.
        weight: The kernel.
        bias: Unused without ``with_bias``.
        ones: Unused.
        offset: How far each sampling point is moved.
        mask: Factor of each sample.
        output: Output.
        columns: Unused.
        with_bias: Whether to add ``bias``.
        numbers: kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w,
            group and deformable_group.

    Raises:
        ValueError: If ``offset`` or ``mask`` holds fewer numbers than the output needs.
    """
    geometry = _geometry_v2(**numbers)
    offset, mask = _read_as(offset, output), _read_as(mask, output)
    output.copy_(deform.forward(input, weight, offset, mask, bias if with_bias else None, geometry))


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    *,
    with_bias: bool,
    **numbers: int,
) -> None:
    """Gradients of :func:`modulated_deform_conv_forward`.

    Args:
        input: As for the forward.
        weight: As for the forward.
        bias: As for the forward.
        ones: Unused.
        offset: As for the forward.
        mask: As for the forward.
        columns: Unused.
        grad_input: Output.
        grad_weight: Output.
        grad_bias: Output; untouched without ``with_bias``.
        grad_offset: Output.
        grad_mask: Output.
        grad_output: Gradient in the forward's output.
        with_bias: As for the forward.
        numbers: As for the forward.
    """
    geometry = _geometry_v2(**numbers)
    used = bias if with_bias else None
    offset, mask = _read_as(offset, grad_output), _read_as(mask, grad_output)
    grads = deform.backward(grad_output, input, weight, offset, mask, used, geometry)
    grad_input.copy_(grads.input)
    grad_weight.copy_(grads.weight)
    _write_as(grads.offset, grad_offset)
    _write_as(grads.mask, grad_mask)
    if with_bias:
        grad_bias.copy_(grads.bias)


def _read_as(values: Tensor, output: Tensor) -> Tensor:
    """The first numbers of each image of (N, C, H, W), as (N, C, H_out, W_out)."""
    if values.shape[2:] == output.shape[2:]:
        return values
    channels, size = values.size(1), output.shape[2:]
    needed = channels * size.numel()
    if values.shape[1:].numel() < needed:
        raise ValueError(
            f"modulated deformable convolution: offset and mask must be at least as large as the "
            f"output, {tuple(size)}, found {tuple(values.shape[2:])}"
        )
    return values.flatten(1)[:, :needed].unflatten(1, (channels, *size))


def _write_as(grad: Tensor, result: Tensor) -> None:
    """Undo :func:`_read_as`: numbers that were not read have gradient 0."""
    flat = grad.new_zeros(len(grad), result.shape[1:].numel())
    flat[:, : grad.shape[1:].numel()] = grad.flatten(1)
    result.copy_(flat.view(result.shape))


def _geometry_v1(
    *,
    kW: int,
    kH: int,
    dW: int,
    dH: int,
    padW: int,
    padH: int,
    dilationW: int,
    dilationH: int,
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> deform.Geometry:
    return deform.Geometry(dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)


def _geometry_v2(
    *, kernel_h: int, kernel_w: int, group: int, deformable_group: int, **numbers: int
) -> deform.Geometry:
    return deform.Geometry(groups=group, offset_groups=deformable_group, **numbers)
