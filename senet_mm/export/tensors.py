"""Operations on boxes and scores that a traced graph keeps for pictures of any size."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms


def top(scores: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """The highest of some scores, at most so many, and where they stand; all if limit <= 0.

    Args:
        scores: Of shape (N,).
        limit: How many.
    """
    if limit <= 0:
        return scores, torch.arange(scores.shape[0], device=scores.device)
    # as a tensor, since a Python number would be that of the traced picture
    number = torch.minimum(torch.as_tensor(scores.shape[0]), torch.tensor(limit))
    return scores.topk(number)  # type: ignore[arg-type]


def places_of(mask: Tensor) -> Tensor:
    """Where a mask of shape (N,) is true."""
    return mask.nonzero()[:, 0]


def flat(maps: Tensor, width: int) -> Tensor:
    """Maps of one image, (1, A * width, H, W), as float32 rows of positions, (H * W * A, width)."""
    return maps[0].permute(1, 2, 0).reshape(-1, width).to(torch.float32)


def picture_size(image: Tensor) -> Tensor:
    """Width and height of a picture of shape (H, W, 3), twice: what bounds a box."""
    height, width = (torch.as_tensor(side) for side in image.shape[:2])
    return torch.stack((width, height, width, height)).to(torch.float32)


def clip(boxes: Tensor, bounds: Tensor) -> Tensor:
    """Boxes (..., 4) inside a picture, see :func:`picture_size`."""
    return torch.minimum(boxes.clamp(min=0), bounds)


def larger_than(boxes: Tensor, side: float) -> Tensor:
    """Which boxes (N, 4) have both sides longer than that; all if it is negative."""
    if side < 0:
        return boxes[:, 0] == boxes[:, 0]
    return ((boxes[:, 2:] - boxes[:, :2]) > side).all(dim=1)


def nms_by_group(boxes: Tensor, scores: Tensor, groups: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression inside each group (a class, a level of the pyramid).

    As mmcv does it: groups are moved apart, so that one pass is enough.

    Args:
        boxes: Of shape (N, 4).
        scores: Of shape (N,).
        groups: Of shape (N,), from 0 on.
        iou_threshold: Above it the box of the lower score goes.

    Returns:
        Places of those kept, by falling score.
    """
    # with a zero, since some runtimes have no maximum of nothing
    edge = torch.cat((boxes.flatten(), boxes.new_zeros(1))).max()
    apart = groups.to(boxes.dtype) * (edge + 1)
    return nms(boxes + apart[:, None], scores, iou_threshold)
