"""The ops of mmcv's compiled module, on torchvision's kernels and plain torch.

Signatures are those with which ``mmcv/ops/*.py`` calls ``mmcv._ext``: outputs and gradients are
tensors that the caller has allocated and filled with zeros. Results equal those of mmcv's own
kernels, on CPU and CUDA. With ``torch.use_deterministic_algorithms(True)``, torchvision's CUDA
backward kernels raise where mmcv's run nevertheless.
"""

from __future__ import annotations

import ctypes

_SERVED = (
    "nms, soft_nms, nms_match, nms_rotated, box_iou_rotated, roi_align (average), roi_pool, "
    "deform_roi_pool, sigmoid_focal_loss, softmax_focal_loss, deform_conv2d, "
    "modulated_deform_conv2d, masked_conv2d, ms_deform_attn and carafe"
)


def c_float(value: float) -> float:
    """Round a number to the C float in which mmcv's kernels take it.

    torchvision's kernels take doubles: they would suppress a box with an overlap of 0.3 (as float,
    0.30000001) at a threshold of 0.3, which mmcv keeps.
    """
    return ctypes.c_float(value).value


def unsupported(op: str) -> RuntimeError:
    """The error for an op that only compiled mmcv has.

    Args:
        op: Name of the op, as a user finds it in the traceback.
    """
    return RuntimeError(
        f"mmcv op {op!r} is not available: this mmcv was installed without compiled ops, and "
        f"senet_mm serves only {_SERVED}. To get the others, install mmcv with its compiled ops: "
        "instead of mmcv-lite, the mmcv wheel for your torch and CUDA versions; instead of "
        "onedl-mmcv without ops, with torch, ninja and setuptools installed first, `pip install "
        "--force-reinstall --no-deps --no-cache-dir --no-build-isolation onedl-mmcv`"
    )
