"""Overlaps and suppression of rotated boxes: x and y of the centre, width, height, angle.

Corners are found with mmcv's arithmetic. The area between them is not: mmcv's convex hull leaves
corners out where some lie on one line, and where boxes are smaller than about 0.1. There, results
differ, and these are the right ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from . import c_float

_IOF = 1  # mode 0 is IoU
_PAIRS_AT_ONCE = 1 << 16  # about 150 MB


def box_iou_rotated(
    boxes1: Tensor, boxes2: Tensor, ious: Tensor, *, mode_flag: int, aligned: bool
) -> None:
    """Overlaps of rotated boxes.

    Args:
        boxes1: (N, 5); angles are in radians, from x towards y.
        boxes2: (M, 5).
        ious: Output, (N * M,) for all pairs, or (N,) if ``aligned``.
        mode_flag: 0 divides the shared area by that of the union, 1 by that of ``boxes1``.
        aligned: Whether to compare only boxes of the same row.
    """
    if aligned:
        ious.copy_(_overlaps(boxes1, boxes2, mode_flag))
        return
    rows = max(_PAIRS_AT_ONCE // max(len(boxes2), 1), 1)
    results = ious.view(len(boxes1), len(boxes2))
    for result, some in zip(results.split(rows), boxes1.split(rows), strict=True):
        result.copy_(_overlaps(some[:, None], boxes2, mode_flag))


def nms_rotated(
    dets: Tensor,
    scores: Tensor,
    order: Tensor,
    dets_sorted: Tensor,
    labels: Tensor,
    iou_threshold: float,
    multi_label: bool,
) -> Tensor:
    """Suppress rotated boxes that overlap a better one.

    mmcv suppresses an overlap of exactly the threshold on the CPU, but not on CUDA, and so does
    this. It takes boxes of several classes for one class on the CPU; here each class is for itself.

    Args:
        dets: Unused.
        scores: Unused.
        order: Indices of the boxes by falling score, (N,).
        dets_sorted: The boxes in that order, (N, 5), or with their labels as sixth column, (N, 6).
        labels: Unused.
        iou_threshold: From which overlap boxes are suppressed.
        multi_label: Whether boxes of different labels leave each other alone.

    Returns:
        Indices of the boxes kept, best first, (K,).
    """
    threshold = c_float(iou_threshold)
    waiting = torch.arange(len(order), device=order.device)
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        box, others = dets_sorted[best], dets_sorted[waiting]
        ious = _overlaps(box[:5], others[:, :5], mode=0)
        suppressed = ious > threshold if dets_sorted.is_cuda else ious >= threshold
        if multi_label:
            suppressed &= others[:, 5] == box[5]
        waiting = waiting[~suppressed]
    return order[torch.stack(kept)] if kept else order


def _overlaps(boxes1: Tensor, boxes2: Tensor, mode: int) -> Tensor:
    """Overlaps of boxes (..., 5), whose leading dimensions are broadcast."""
    boxes1, boxes2 = torch.broadcast_tensors(boxes1, boxes2)
    if boxes1.dtype == torch.float16:
        boxes1, boxes2 = boxes1.float(), boxes2.float()
    middle = (boxes1[..., :2] + boxes2[..., :2]).double() / 2
    corners1, corners2 = _corners(boxes1, middle), _corners(boxes2, middle)
    area1, area2 = boxes1[..., 2] * boxes1[..., 3], boxes2[..., 2] * boxes2[..., 3]
    shared = _hull_area(*_shared_corners(corners1, corners2))
    base = area1 if mode == _IOF else area1 + area2 - shared
    empty = (area1 < 1e-14) | (area2 < 1e-14)
    return (shared / base).masked_fill(empty, 0)


def _corners(boxes: Tensor, origin: Tensor) -> Tensor:
    """Corners (..., 4, 2) relative to ``origin``, in mmcv's order and with its rounding."""
    centre = (boxes[..., :2].double() - origin).to(boxes)
    width, height = boxes[..., 2], boxes[..., 3]
    cos = boxes[..., 4].double().cos().to(boxes) * 0.5
    sin = boxes[..., 4].double().sin().to(boxes) * 0.5
    x, y = centre.unbind(-1)
    first = torch.stack((x - sin * height - cos * width, y + cos * height - sin * width), dim=-1)
    second = torch.stack((x + sin * height - cos * width, y - cos * height - sin * width), dim=-1)
    return torch.stack((first, second, 2 * centre - first, 2 * centre - second), dim=-2)


def _shared_corners(corners1: Tensor, corners2: Tensor) -> tuple[Tensor, Tensor]:
    """Candidates for corners of what two rectangles share, (..., 24, 2), and which are, (..., 24).

    Candidates are the crossings of edges and the corners that lie in the other rectangle.
    """
    edges1 = corners1.roll(-1, dims=-2) - corners1
    edges2 = corners2.roll(-1, dims=-2) - corners2
    from1, along1, along2 = (
        corners1[..., :, None, :],
        edges1[..., :, None, :],
        edges2[..., None, :, :],
    )
    between = corners2[..., None, :, :] - from1
    det = _cross(along2, along1)
    parallel = det.abs() <= 1e-14
    det = det.masked_fill(parallel, 1)
    t1, t2 = _cross(along2, between) / det, _cross(along1, between) / det
    meet = ~parallel & (t1 >= 0) & (t1 <= 1) & (t2 >= 0) & (t2 <= 1)
    crossings = from1 + along1 * t1[..., None]
    points = torch.cat((crossings.flatten(-3, -2), corners1, corners2), dim=-2)
    inside = _inside(corners1, corners2, edges2), _inside(corners2, corners1, edges1)
    return points, torch.cat((meet.flatten(-2), *inside), dim=-1)


def _inside(points: Tensor, corners: Tensor, edges: Tensor) -> Tensor:
    """Which points (..., P, 2) lie in a rectangle; (..., P)."""
    from_corner = points - corners[..., :1, :]
    side, other_side = edges[..., :1, :], edges[..., 3:, :]
    along, across = _dot(from_corner, side), -_dot(from_corner, other_side)
    fits = (along <= _dot(side, side)) & (across <= _dot(other_side, other_side))
    return (along >= 0) & (across >= 0) & fits


def _hull_area(points: Tensor, valid: Tensor) -> Tensor:
    """Area of the convex polygon whose corners are the valid ones of ``points``, in any order."""
    dtype, points = points.dtype, points.double()
    count = valid.sum(dim=-1, keepdim=True)
    centre = (points * valid[..., None]).sum(dim=-2, keepdim=True) / count.clamp(min=1)[..., None]
    points = points - centre
    angle = torch.atan2(points[..., 1], points[..., 0]).masked_fill(~valid, torch.inf)
    order = angle.argsort(dim=-1)
    points = points.gather(-2, order[..., None].expand_as(points))
    # those that are not valid come last: the first one in their place closes the polygon
    last = torch.arange(valid.size(-1), device=valid.device) >= count
    points = torch.where(last[..., None], points[..., :1, :], points)
    area = _cross(points, points.roll(-1, dims=-2)).sum(dim=-1).abs() / 2
    return area.masked_fill(count[..., 0] <= 2, 0).to(dtype)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 1] - b[..., 0] * a[..., 1]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1]
