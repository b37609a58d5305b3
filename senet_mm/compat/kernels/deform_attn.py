"""Multi-scale deformable attention on mmcv's own plain-torch version of it.

mmcv calls its compiled op for CUDA tensors and that version for all others, so CUDA gives here what
mmcv gives on the CPU. It needs more memory than the compiled op: all samples are kept.
"""

from __future__ import annotations

import torch
from torch import Tensor


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    *,
    im2col_step: int,
) -> Tensor:
    """Weighted sums of bilinear samples of all levels.

    Args:
        value: Features of all levels, one after the other, (N, K, heads, C).
        value_spatial_shapes: Height and width of each level, (L, 2).
        value_level_start_index: Unused: follows from the shapes.
        sampling_locations: x and y, 0 to 1 across a level, (N, Q, heads, L, P, 2).
        attention_weights: (N, Q, heads, L, P).
        im2col_step: Unused: all images are taken at once.

    Returns:
        (N, Q, heads * C).
    """
    # not at the top: mmcv.ops imports this module while it is being imported itself
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    return multi_scale_deformable_attn_pytorch(
        value, value_spatial_shapes, sampling_locations, attention_weights
    )


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    *,
    im2col_step: int,
) -> None:
    """Gradients of :func:`ms_deform_attn_forward`.

    Args:
        value: As for the forward.
        value_spatial_shapes: As for the forward.
        value_level_start_index: Unused.
        sampling_locations: As for the forward.
        attention_weights: As for the forward.
        grad_output: (N, Q, heads * C).
        grad_value: Output.
        grad_sampling_loc: Output.
        grad_attn_weight: Output.
        im2col_step: Unused.
    """
    inputs = [t.detach().requires_grad_() for t in (value, sampling_locations, attention_weights)]
    with torch.enable_grad():
        output = ms_deform_attn_forward(
            inputs[0],
            value_spatial_shapes,
            value_level_start_index,
            *inputs[1:],
            im2col_step=im2col_step,
        )
    grads = torch.autograd.grad(output, inputs, grad_output)
    for result, grad in zip((grad_value, grad_sampling_loc, grad_attn_weight), grads, strict=True):
        result.copy_(grad)
