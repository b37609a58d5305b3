"""Calls of the ops that few detectors need; see :mod:`tests.compat.mmcv_calls`."""

from __future__ import annotations

import numpy as np
import torch
from mmcv import ops
from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttnFunction
from torch import Tensor

from tests.compat.mmcv_calls import (
    Arrays,
    fill_parameters,
    random_features,
    random_rois,
    to_arrays,
    with_gradients,
)


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.RandomState(seed).standard_normal(shape)


def ms_deform_attn(device: str, dtype: torch.dtype, spread: float = 0.6) -> Arrays:
    """Two images, three levels; the larger the spread, the more samples lie outside."""
    shapes = torch.tensor([[6, 5], [3, 4], [1, 2]], device=device)
    sizes = shapes.prod(dim=1)
    starts = torch.cat((sizes.new_zeros(1), sizes.cumsum(0)[:-1]))
    heads, channels, queries, points = 2, 3, 7, 4

    def tensor(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values).to(device, dtype)

    value = tensor(_normal(40, 2, int(sizes.sum()), heads, channels)).requires_grad_()
    locations = tensor(0.5 + spread * _normal(41, 2, queries, heads, len(shapes), points, 2))
    weights = tensor(_normal(42, 2, queries, heads, len(shapes), points))
    inputs = {
        "value": value,
        "locations": locations.requires_grad_(),
        "weights": weights.requires_grad_(),
    }
    output = MultiScaleDeformableAttnFunction.apply(value, shapes, starts, locations, weights, 64)
    return with_gradients(output, **inputs)


def carafe(
    device: str,
    dtype: torch.dtype,
    kernel_size: int = 3,
    groups: int = 1,
    scale: int = 2,
    naive: bool = False,
) -> Arrays:
    shape = 2, kernel_size**2 * groups, 4 * scale, 5 * scale
    features = torch.as_tensor(_normal(43, 2, 4, 4, 5)).to(device, dtype).requires_grad_()
    masks = torch.as_tensor(_normal(44, *shape)).to(device, dtype).requires_grad_()
    if naive:  # mmcv's Python side has no gradient of it on the CPU
        return to_arrays(output=ops.carafe_naive(features, masks, kernel_size, groups, scale))
    output = ops.carafe(features, masks, kernel_size, groups, scale)
    return with_gradients(output, features=features, masks=masks)


def masked_conv(
    device: str,
    dtype: torch.dtype,
    kernel: int | tuple[int, int] = 3,
    padding: int | tuple[int, int] = 1,
    chosen: float = 0.4,
) -> Arrays:
    conv = ops.MaskedConv2d(3, 5, kernel, padding=padding).to(device, dtype)
    fill_parameters(conv, seed=45)
    features = torch.as_tensor(_normal(46, 1, 3, 6, 7)).to(device, dtype)
    mask = torch.as_tensor(np.random.RandomState(47).uniform(size=(1, 6, 7)) < chosen)
    return to_arrays(output=conv(features, mask.to(device)))


def deform_roi_pool(
    device: str,
    dtype: torch.dtype,
    offset_scale: float | None = 1.0,
    no_rois: bool = False,
    **kwargs: float,
) -> Arrays:
    x = random_features(device, dtype)
    rois = random_rois(device, dtype)[: 0 if no_rois else None]
    if offset_scale is None:
        return with_gradients(ops.deform_roi_pool(x, rois, None, (5, 3), 0.25, 0, 0.1), input=x)
    layer = ops.DeformRoIPool((5, 3), **{"spatial_scale": 0.25, **kwargs})
    offset = torch.as_tensor(_normal(48, len(rois), 2, 5, 3) * offset_scale)
    offset = offset.to(device, dtype).requires_grad_()
    inputs = {"input": x} if no_rois else {"input": x, "offset": offset}  # None for an empty one
    return with_gradients(layer(x, rois, offset), **inputs)


def _rotated_boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.RandomState(seed)
    centres, sizes = rng.uniform(0, 40, (count, 2)), rng.uniform(2, 25, (count, 2))
    return np.concatenate((centres, sizes, rng.uniform(-4, 4, (count, 1))), axis=1)


# next to random ones: equal, turned by a right angle, inside, touching, apart, without area
_SPECIAL_BOXES = np.array(
    [
        [10, 10, 8, 4, 0],
        [10, 10, 8, 4, 0],
        [10, 10, 4, 8, np.pi / 2],
        [10, 10, 2, 1, 0.3],
        [18, 10, 8, 4, 0],
        [14, 12, 8, 4, 0],
        [80, 80, 8, 4, 0.7],
        [10, 10, 0, 4, 0],
        [10, 10, 8, 4, np.pi / 4],
        [10.5, 10, 8, 4, np.pi / 4],
    ]
)


def box_iou_rotated(
    device: str, special: bool = False, no_boxes: bool = False, **kwargs: str | bool
) -> Arrays:
    if special:
        boxes1 = boxes2 = _SPECIAL_BOXES
    else:
        boxes1, boxes2 = _rotated_boxes(30, 50), _rotated_boxes(30, 51)[: 0 if no_boxes else None]
    boxes = (torch.as_tensor(b, dtype=torch.float32, device=device) for b in (boxes1, boxes2))
    return to_arrays(ious=ops.box_iou_rotated(*boxes, **kwargs))


def nms_rotated(device: str, dtype: torch.dtype, iou_threshold: float, **kwargs: bool) -> Arrays:
    boxes = torch.as_tensor(_rotated_boxes(80, 52)).to(device, dtype)
    scores = torch.as_tensor(np.random.RandomState(53).permutation(80) + 1) / 80
    dets, kept = ops.nms_rotated(boxes, scores.to(boxes), iou_threshold, **kwargs)
    return to_arrays(dets=dets, kept=kept)


def batched_nms_rotated(device: str) -> Arrays:
    boxes = torch.as_tensor(_rotated_boxes(80, 54)).to(device, torch.float32)
    scores = (torch.as_tensor(np.random.RandomState(55).permutation(80) + 1) / 80).to(boxes)
    classes = torch.as_tensor(np.random.RandomState(56).randint(0, 3, 80), device=device)
    dets, kept = ops.batched_nms(
        boxes, scores, classes, dict(type="nms_rotated", iou_threshold=0.3)
    )
    return to_arrays(dets=dets, kept=kept)
