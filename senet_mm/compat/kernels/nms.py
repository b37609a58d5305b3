"""Non-maximum suppression, hard and soft."""

from __future__ import annotations

import torch
import torchvision  # noqa: F401 (registers torch.ops.torchvision)
from torch import Tensor

from . import c_float

_LINEAR, _GAUSSIAN = 1, 2  # 0 is hard suppression


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Suppress boxes that overlap a better one by more than a threshold.

    Args:
        boxes: (N, 4) as x1, y1, x2, y2.
        scores: (N,).
        iou_threshold: Boxes with a larger overlap are suppressed.
        offset: 0, or 1 if the pixel at x2 belongs to the box.

    Returns:
        Indices of the boxes kept, best first, (K,).
    """
    if boxes.dtype != torch.float64:
        boxes = boxes.float()
    if offset:
        boxes = torch.cat((boxes[:, :2], boxes[:, 2:] + offset), dim=1)
    # torchvision keeps the order of equal scores, mmcv that of torch's default sort
    scores, order = scores.to(boxes).sort(descending=True)
    return order[torch.ops.torchvision.nms(boxes[order], scores, c_float(iou_threshold))]


def softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Lower the scores of boxes that overlap a better one.

    Args:
        boxes: (N, 4) as x1, y1, x2, y2.
        scores: (N,).
        dets: Output, (N, 5): the first K rows become the boxes kept and their new scores.
        iou_threshold: Overlap from which the methods 0 and 1 act.
        sigma: Width of method 2.
        min_score: Boxes whose score falls below are dropped.
        method: 0 drops an overlapping box, 1 scales its score by 1 - IoU, 2 by a Gaussian of IoU.
        offset: 0, or 1 if the pixel at x2 belongs to the box.

    Returns:
        Indices of the boxes kept, best first, (K,).
    """
    iou_threshold, sigma, min_score = map(c_float, (iou_threshold, sigma, min_score))
    waiting, scores = torch.arange(len(boxes)), scores.clone()
    kept: list[int] = []
    while len(waiting):
        best = int(scores.argmax())
        chosen = int(waiting[best])
        dets[len(kept), :4], dets[len(kept), 4] = boxes[chosen], scores[best]
        kept.append(chosen)
        waiting[best], scores[best] = waiting[0], scores[0]
        waiting, scores = waiting[1:], scores[1:]

        iou = _iou(boxes[chosen], boxes.index_select(0, waiting), offset)
        if method == _GAUSSIAN:
            decay = torch.exp(-(iou * iou) / sigma)
        else:
            lowered = 1 - iou if method == _LINEAR else torch.zeros_like(iou)
            decay = torch.where(iou >= iou_threshold, lowered, torch.ones_like(iou))
        scores = scores * decay
        above = scores >= min_score
        if not above.all():
            waiting, scores = _drop(waiting, above), _drop(scores, above)
    return torch.tensor(kept, dtype=torch.long)


def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group each box kept by suppression with those that it suppresses.

    Args:
        dets: (N, 5) as x1, y1, x2, y2, score.
        iou_threshold: Boxes with at least this overlap are suppressed.

    Returns:
        Indices per group, best first; the first index is that of the box kept.
    """
    waiting = dets[:, 4].sort(descending=True).indices
    groups = []
    while len(waiting):
        rest = waiting[1:]
        matches = _iou(dets[waiting[0], :4], dets[rest, :4], 0) >= c_float(iou_threshold)
        groups.append([int(waiting[0]), *rest[matches].tolist()])
        waiting = rest[~matches]
    return groups


def _iou(box: Tensor, boxes: Tensor, offset: int) -> Tensor:
    """Overlaps of one box (4,) with others (N, 4); shape (N,)."""
    size, sizes = box[2:] - box[:2] + offset, boxes[:, 2:] - boxes[:, :2] + offset
    shared = torch.minimum(box[2:], boxes[:, 2:]) - torch.maximum(box[:2], boxes[:, :2]) + offset
    inter = shared.clamp(min=0).prod(dim=1)
    return inter / (size.prod() + sizes.prod(dim=1) - inter)


def _drop(values: Tensor, keep: Tensor) -> Tensor:
    """``values[keep]`` in the order of mmcv's kernel, which decides between equal scores.

    The kernel fills the place of a dropped value with the last one that is left.
    """
    count = int(keep.sum())
    head, moved = values[:count].clone(), values[count:][keep[count:]].flip(0)
    return head.masked_scatter_(~keep[:count], moved)
