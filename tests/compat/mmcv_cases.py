"""Which calls of mmcv's ops are compared, and how closely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from tests.compat.mmcv_calls import (
    Arrays,
    batched_nms,
    deform_conv,
    deform_conv_pack,
    focal_loss,
    nms,
    nms_at_threshold,
    nms_match,
    nms_numpy,
    roi_align,
    roi_pool,
    soft_nms,
)
from tests.compat.mmcv_rarer_calls import (
    batched_nms_rotated,
    box_iou_rotated,
    carafe,
    deform_roi_pool,
    masked_conv,
    ms_deform_attn,
    nms_rotated,
)

DTYPES = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Case:
    """One call of an op.

    Attributes:
        module: The file of ``mmcv/ops`` that calls the compiled op.
        tolerance: Largest difference accepted, relative to the largest number of an array.
        compute: Runs the op on the given device.
    """

    module: str
    tolerance: float
    compute: Callable[[str], Arrays]


def _tolerance(dtype: torch.dtype) -> float:
    return 1e-5 if dtype == torch.float32 else 1e-10


# name of the case -> arguments
_NMS = {
    **{f"{t}": dict(iou_threshold=t) for t in (0.3, 0.5, 0.7)},
    "offset": dict(iou_threshold=0.5, offset=1),
    "score_threshold": dict(iou_threshold=0.5, score_threshold=0.5),
    "max_num": dict(iou_threshold=0.7, max_num=10),
    "empty": dict(iou_threshold=0.5, count=0),
    "single": dict(iou_threshold=0.5, count=1),
    "all_below_score_threshold": dict(iou_threshold=0.5, score_threshold=1.0),
}
_BATCHED_NMS = {
    "per_class": dict(nms_cfg=dict(type="nms", iou_threshold=0.5)),
    "agnostic": dict(nms_cfg=dict(type="nms", iou_threshold=0.5), class_agnostic=True),
    "agnostic_in_cfg": dict(nms_cfg=dict(iou_threshold=0.5, class_agnostic=True)),
    "split": dict(nms_cfg=dict(iou_threshold=0.5, split_thr=50)),
    "split_max_num": dict(nms_cfg=dict(iou_threshold=0.5, split_thr=50, max_num=9)),
    "none": dict(nms_cfg=None),
    "soft": dict(nms_cfg=dict(type="soft_nms", iou_threshold=0.5, min_score=0.05)),
    "soft_split": dict(nms_cfg=dict(type="soft_nms", iou_threshold=0.5, split_thr=50)),
}
_SOFT_NMS = {
    "naive": dict(method="naive", iou_threshold=0.4),
    "linear": dict(method="linear", iou_threshold=0.3),
    "linear_offset": dict(method="linear", iou_threshold=0.3, offset=1),
    "linear_min_score": dict(method="linear", iou_threshold=0.3, min_score=0.3),
    "linear_ties": dict(method="linear", iou_threshold=0.3, ties=True, min_score=0.3),
    "naive_ties": dict(method="naive", iou_threshold=0.3, ties=True),
    "gaussian": dict(method="gaussian", sigma=0.5, min_score=0.05),
}
_ROI_ALIGN = {
    **{
        f"{'aligned' if aligned else 'legacy'}_{ratio}": dict(aligned=aligned, sampling_ratio=ratio)
        for aligned in (True, False)
        for ratio in (0, 2)
    },
    "scale": dict(spatial_scale=0.29),
    "no_rois": dict(no_rois=True),
}
_ROI_POOL = {
    "base": {},
    "scale": dict(spatial_scale=0.3),
    "whole_pixels": dict(whole_pixels=True),
    "full_scale": dict(spatial_scale=1.0),
    # up to rounding, which goes up for one scale and down for the other
    "bins_of_whole_pixels": dict(spatial_scale=1 / 3, whole_pixels=True),
    "starts_at_whole_pixels": dict(spatial_scale=0.35, whole_pixels=True),
    "no_rois": dict(no_rois=True),
    "negative": dict(negative=True),
}
_FOCAL_LOSS = {
    **{
        f"sigmoid_{reduction}{'_weighted' * weighted}": dict(reduction=reduction, weighted=weighted)
        for reduction in ("none", "mean", "sum")
        for weighted in (False, True)
    },
    "sigmoid_saturated": dict(scale=50.0),
    "softmax_saturated": dict(scale=50.0, kind="softmax", reduction="sum"),
    "sigmoid_gamma": dict(gamma=1.5, alpha=0.4),
    "sigmoid_cross_entropy": dict(gamma=0.0, alpha=0.5),
    **{
        f"softmax_{reduction}{'_weighted' * weighted}": dict(
            kind="softmax", reduction=reduction, weighted=weighted
        )
        for reduction in ("none", "mean", "sum")
        for weighted in (False, True)
    },
}
_DEFORM_CONV = {
    "base": dict(padding=1),
    "stride": dict(padding=1, stride=2),
    "dilation": dict(padding=2, dilation=2),
    "groups": dict(padding=1, groups=2),
    "deform_groups": dict(padding=1, deform_groups=2, stride=2),
    "all": dict(padding=2, dilation=2, stride=2, groups=2, deform_groups=2, size=(9, 7)),
    "tall_kernel": dict(kernel=(3, 1), padding=(1, 0), size=(7, 4)),
    "new_layer": dict(padding=1, offset_scale=0.0),
    "far_offsets": dict(padding=1, offset_scale=8.0),
    "no_padding": dict(offset_scale=0.5),
}
_ONLY_V1 = {
    "small_input": dict(size=(2, 5), padding=1),
    "im2col_step": dict(batch=4, im2col_step=2, padding=1, stride=2),
}
_ONLY_V2 = {
    "no_bias": dict(padding=1, bias=False),
    "larger_offsets": dict(padding=1, larger=(6, 5)),
    "larger_offsets_all": dict(
        padding=2, dilation=2, stride=2, groups=2, deform_groups=2, size=(9, 7), larger=(1, 4)
    ),
}
# file of the op -> function, variants
_RARER = {
    "multi_scale_deform_attn": (ms_deform_attn, {"inside": dict(spread=0.15), "beside": {}}),
    "carafe": (
        carafe,
        {
            "base": {},
            "groups": dict(groups=2, kernel_size=5),
            "factor": dict(scale=3, groups=4),
            "point": dict(kernel_size=1, scale=1),
            "naive": dict(naive=True, groups=2),
        },
    ),
    "masked_conv": (
        masked_conv,
        {
            "base": {},
            "none": dict(chosen=0),
            "all": dict(chosen=1),
            "tall": dict(kernel=(5, 1), padding=(2, 0)),
            "wide_padding": dict(padding=3, chosen=0.9),
        },
    ),
    "deform_roi_pool": (
        deform_roi_pool,
        {
            "base": {},
            "no_offset": dict(offset_scale=None),
            "sampling_ratio": dict(sampling_ratio=2),
            "far": dict(offset_scale=20.0, gamma=0.3),
            "scale": dict(spatial_scale=0.29),
            "no_rois": dict(no_rois=True),
        },
    ),
}
_BOX_IOU_ROTATED = {
    "iou": {},
    "iof": dict(mode="iof"),
    "aligned": dict(aligned=True),
    "counter_clockwise": dict(clockwise=False),
    "special": dict(special=True),
    "no_boxes": dict(no_boxes=True),
}


def _all_cases() -> dict[str, Case]:
    cases = {
        "nms/numpy": Case("nms", 0, nms_numpy),
        "nms/at_threshold": Case("nms", 0, nms_at_threshold),
        "nms_match/0.3": Case("nms", 0, partial(nms_match, iou_threshold=0.3)),
        "nms_match/0.6": Case("nms", 0, partial(nms_match, iou_threshold=0.6)),
    }
    for function, tolerance, variants in (
        (nms, 0, _NMS),
        (batched_nms, 1e-6, _BATCHED_NMS),
        (soft_nms, 1e-6, _SOFT_NMS),
    ):
        for name, kwargs in variants.items():
            key = f"{function.__name__}/{name}"
            cases[key] = Case("nms", tolerance, partial(function, **kwargs))
    cases["nms_rotated/batched"] = Case("nms", 1e-6, batched_nms_rotated)
    for name, kwargs in _BOX_IOU_ROTATED.items():
        compute = partial(box_iou_rotated, **kwargs)
        cases[f"box_iou_rotated/{name}"] = Case("box_iou_rotated", 1e-5, compute)
    for dtype in DTYPES:
        suffix, tolerance = str(dtype).removeprefix("torch."), _tolerance(dtype)
        for name, kwargs in _ROI_ALIGN.items():
            compute = partial(roi_align, dtype=dtype, **kwargs)
            cases[f"roi_align/{name}/{suffix}"] = Case("roi_align", tolerance, compute)
        for name, kwargs in _ROI_POOL.items():
            compute = partial(roi_pool, dtype=dtype, **kwargs)
            cases[f"roi_pool/{name}/{suffix}"] = Case("roi_pool", tolerance, compute)
        for name, kwargs in _FOCAL_LOSS.items():
            compute = partial(focal_loss, dtype=dtype, **kwargs)
            # mmcv takes the exponential in single precision whatever the type
            cases[f"focal_loss/{name}/{suffix}"] = Case("focal_loss", max(tolerance, 1e-6), compute)
        for modulated, module in ((False, "deform_conv"), (True, "modulated_deform_conv")):
            for name, kwargs in (_DEFORM_CONV | (_ONLY_V2 if modulated else _ONLY_V1)).items():
                compute = partial(deform_conv, dtype=dtype, modulated=modulated, **kwargs)
                cases[f"{module}/{name}/{suffix}"] = Case(module, tolerance, compute)
            compute = partial(deform_conv_pack, dtype=dtype, modulated=modulated)
            cases[f"{module}/pack/{suffix}"] = Case(module, tolerance, compute)
        for module, (function, variants) in _RARER.items():
            for name, kwargs in variants.items():
                compute = partial(function, dtype=dtype, **kwargs)
                cases[f"{module}/{name}/{suffix}"] = Case(module, tolerance, compute)
        for threshold in (0.1, 0.5):
            compute = partial(nms_rotated, dtype=dtype, iou_threshold=threshold)
            cases[f"nms_rotated/{threshold}/{suffix}"] = Case("nms", 0, compute)
    return cases


CASES = _all_cases()
