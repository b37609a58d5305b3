"""Stands in for mmcv's compiled module: runs under the name ``mmcv._ext``.

mmcv asks only whether an op is there when it imports, so every op is: those imported here work,
any other one says when it is called why it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NoReturn

from senet_mm.compat.kernels import unsupported
from senet_mm.compat.kernels.carafe import (
    carafe_backward,
    carafe_forward,
    carafe_naive_backward,
    carafe_naive_forward,
)
from senet_mm.compat.kernels.deform_attn import ms_deform_attn_backward, ms_deform_attn_forward
from senet_mm.compat.kernels.deform_conv import (
    deform_conv_backward_input,
    deform_conv_backward_parameters,
    deform_conv_forward,
    modulated_deform_conv_backward,
    modulated_deform_conv_forward,
)
from senet_mm.compat.kernels.deform_roi_pool import (
    deform_roi_pool_backward,
    deform_roi_pool_forward,
)
from senet_mm.compat.kernels.focal_loss import (
    sigmoid_focal_loss_backward,
    sigmoid_focal_loss_forward,
    softmax_focal_loss_backward,
    softmax_focal_loss_forward,
)
from senet_mm.compat.kernels.masked_conv import masked_col2im_forward, masked_im2col_forward
from senet_mm.compat.kernels.nms import nms, nms_match, softnms
from senet_mm.compat.kernels.roi import (
    roi_align_backward,
    roi_align_forward,
    roi_pool_backward,
    roi_pool_forward,
)
from senet_mm.compat.kernels.rotated import box_iou_rotated, nms_rotated

__all__ = [
    "box_iou_rotated",
    "carafe_backward",
    "carafe_forward",
    "carafe_naive_backward",
    "carafe_naive_forward",
    "deform_conv_backward_input",
    "deform_conv_backward_parameters",
    "deform_conv_forward",
    "deform_roi_pool_backward",
    "deform_roi_pool_forward",
    "get_compiler_version",
    "get_compiling_cuda_version",
    "masked_col2im_forward",
    "masked_im2col_forward",
    "modulated_deform_conv_backward",
    "modulated_deform_conv_forward",
    "ms_deform_attn_backward",
    "ms_deform_attn_forward",
    "nms",
    "nms_match",
    "nms_rotated",
    "roi_align_backward",
    "roi_align_forward",
    "roi_pool_backward",
    "roi_pool_forward",
    "sigmoid_focal_loss_backward",
    "sigmoid_focal_loss_forward",
    "softmax_focal_loss_backward",
    "softmax_focal_loss_forward",
    "softnms",
]


def get_compiler_version() -> str:
    """The compiler of the ops: there is none."""
    return "not available"


def get_compiling_cuda_version() -> str:
    """The CUDA version the ops were compiled with: there is none."""
    return "not available"


def _raise_unsupported(name: str, *args: object, **kwargs: object) -> NoReturn:
    raise unsupported(name)


def __getattr__(name: str) -> Callable[..., NoReturn]:
    # no op begins with an underscore, but Python and its tools look for such names in modules
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(_raise_unsupported, name)
