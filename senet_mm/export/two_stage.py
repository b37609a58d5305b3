"""Boxes and masks of RoI heads: Faster, Mask and Cascade R-CNN, as mmdet makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.roi_heads import CascadeRoIHead
from torch import Tensor
from torchvision.ops import roi_align

from .one_stage import Candidates, decode
from .tensors import places_of


def classify(roi_head: Any, maps: Sequence[Tensor], rois: Tensor, bounds: Tensor) -> Candidates:
    """What the box heads find in regions, above the score threshold.

    Args:
        roi_head: mmdet's ``StandardRoIHead`` or ``CascadeRoIHead``.
        maps: The neck's, of one picture.
        rois: Of shape (P, 4).
        bounds: See :func:`senet_mm.export.tensors.picture_size`.
    """
    extractors, heads = _stages(roi_head, "bbox_roi_extractor"), _stages(roi_head, "bbox_head")
    logits, deltas = _run(heads[0], pool(extractors[0], maps, rois))
    total = logits
    for stage in range(1, len(heads)):
        rois = _refined(heads[stage - 1], rois, logits, deltas, bounds)
        logits, deltas = _run(heads[stage], pool(extractors[stage], maps, rois))
        total = total + logits
    values = (total / len(heads)).softmax(-1)[:, :-1]
    agnostic = heads[-1].reg_class_agnostic
    boxes = _boxes(heads[-1], rois, deltas, bounds)
    places = places_of(values.flatten() > roi_head.test_cfg.score_thr)
    classes = heads[-1].num_classes
    rows = torch.div(places, classes, rounding_mode="floor") if agnostic else places
    return Candidates(boxes[rows], values.flatten()[places], places % classes)


def masks_in(roi_head: Any, maps: Sequence[Tensor], boxes: Tensor, labels: Tensor) -> Tensor:
    """The probability of each object's mask over its box, of shape (N, S, S)."""
    extractors, heads = _stages(roi_head, "mask_roi_extractor"), _stages(roi_head, "mask_head")
    values = [
        head(pool(extractor, maps, boxes)).to(torch.float32).sigmoid()
        for extractor, head in zip(extractors, heads, strict=True)
    ]
    mean = torch.stack(values).mean(dim=0)
    if heads[-1].class_agnostic:
        return mean[:, 0]
    return mean[torch.arange(labels.shape[0], device=labels.device), labels]


def pool(extractor: Any, maps: Sequence[Tensor], rois: Tensor) -> Tensor:
    """RoIAlign of regions (P, 4), each on the level of the pyramid that its size asks for."""
    rois = torch.cat((torch.zeros_like(rois[:, :1]), rois), dim=1)
    levels = extractor.map_roi_levels(rois, extractor.num_inputs)
    pooled, order = [], []
    for level, layer in enumerate(extractor.roi_layers):
        places = places_of(levels == level)
        pooled.append(
            roi_align(
                maps[level].to(torch.float32),
                rois[places],
                layer.output_size,
                layer.spatial_scale,
                layer.sampling_ratio,
                layer.aligned,
            )
        )
        order.append(places)
    # argsort of integers is not to be had everywhere
    back = torch.cat(order).to(torch.float32).argsort()
    return torch.cat(pooled)[back].to(maps[0].dtype)


def _stages(roi_head: Any, name: str) -> list[Any]:
    part = getattr(roi_head, name)
    return list(part) if isinstance(roi_head, CascadeRoIHead) else [part]


def _run(head: Any, features: Tensor) -> tuple[Tensor, Tensor]:
    logits, deltas = head(features)
    return logits.to(torch.float32), deltas.to(torch.float32)


def _boxes(head: Any, rois: Tensor, deltas: Tensor, bounds: Tensor) -> Tensor:
    """Boxes of every class, or of none: (P * C, 4), or (P, 4)."""
    classes = 1 if head.reg_class_agnostic else head.num_classes
    rois = rois[:, None].expand(-1, classes, -1).reshape(-1, 4)
    return decode(head.bbox_coder, rois, deltas.reshape(-1, 4), bounds)


def _refined(head: Any, rois: Tensor, logits: Tensor, deltas: Tensor, bounds: Tensor) -> Tensor:
    """Regions of the next stage of a cascade: the boxes of each region's best class."""
    if not head.reg_class_agnostic:
        best = logits[:, :-1].argmax(dim=1)
        deltas = deltas.reshape(-1, head.num_classes, 4)
        deltas = deltas.gather(1, best[:, None, None].expand(-1, 1, 4))[:, 0]
    return decode(head.bbox_coder, rois, deltas, bounds)
