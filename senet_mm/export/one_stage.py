"""Boxes of dense heads: RetinaNet, FCOS and the proposals of an RPN, as mmdet makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .tensors import clip, flat, larger_than, nms_by_group, places_of, top


class Candidates(NamedTuple):
    """Boxes of one picture before non-maximum suppression.

    Attributes:
        boxes: Of shape (N, 4), in pixels of the picture.
        scores: Of shape (N,).
        labels: Of shape (N,).
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


def candidates(head: Any, maps: Sequence[Tensor], bounds: Tensor) -> Candidates:
    """What a dense head finds, above its score threshold, at most ``nms_pre`` on each level.

    Args:
        head: One of mmdet that predicts as ``BaseDenseHead`` does.
        maps: The neck's, of one picture.
        bounds: See :func:`senet_mm.export.tensors.picture_size`.
    """
    classes = head.cls_out_channels
    all_scores, all_deltas, *factors = head(maps)
    found: list[tuple[Tensor, ...]] = []
    priors = _priors(head, all_scores)
    for level, (scores, deltas, prior) in enumerate(
        zip(all_scores, all_deltas, priors, strict=True)
    ):
        values = _activated(head, flat(scores, classes))
        shown = values.shape[1]
        values = values.flatten()
        places = places_of(values > head.test_cfg.get("score_thr", 0))
        values, order = top(values[places], head.test_cfg.get("nms_pre", -1))
        places = places[order]
        rows = torch.div(places, shown, rounding_mode="floor")
        if factors:
            values = values * flat(factors[0][level], 1).flatten().sigmoid()[rows]
        size = head.bbox_coder.encode_size
        found.append((prior[rows], flat(deltas, size)[rows], values, places % shown))
    chosen, deltas, values, labels = map(torch.cat, zip(*found, strict=True))
    boxes = decode(head.bbox_coder, chosen, deltas, bounds)
    keep = places_of(larger_than(boxes, head.test_cfg.get("min_bbox_size", -1)))
    return Candidates(boxes[keep], values[keep], labels[keep])


def proposals(head: Any, maps: Sequence[Tensor], bounds: Tensor) -> Tensor:
    """The proposals of mmdet's RPN for one picture, of shape (P, 4); each level has its own NMS."""
    cfg = head.test_cfg
    all_scores, all_deltas = head(maps)
    found: list[tuple[Tensor, ...]] = []
    priors = _priors(head, all_scores)
    for level, (scores, deltas, prior) in enumerate(
        zip(all_scores, all_deltas, priors, strict=True)
    ):
        values = _activated(head, flat(scores, head.cls_out_channels))[:, 0]
        values, places = top(values, cfg.get("nms_pre", -1))
        deltas = flat(deltas, head.bbox_coder.encode_size)[places]
        found.append((prior[places], deltas, values, torch.full_like(places, level)))
    chosen, deltas, values, levels = map(torch.cat, zip(*found, strict=True))
    boxes = decode(head.bbox_coder, chosen, deltas, bounds)
    keep = places_of(larger_than(boxes, cfg.get("min_bbox_size", -1)))
    boxes, values, levels = boxes[keep], values[keep], levels[keep]
    kept = nms_by_group(boxes, values, levels, cfg.nms.iou_threshold)
    return boxes[kept[: cfg.max_per_img]]


def decode(coder: Any, priors: Tensor, deltas: Tensor, bounds: Tensor) -> Tensor:
    """Boxes from what a head predicts for priors, inside the picture where the coder says so."""
    # with one row more, as mmdet takes another way where there is none, which a trace would keep;
    # and it clips by Python numbers, which would be those of the traced picture
    more = [torch.cat((rows, rows.new_ones(1, rows.shape[1]))) for rows in (priors, deltas)]
    boxes = coder.decode(*more)[:-1]
    return clip(boxes, bounds) if coder.clip_border else boxes


def _priors(head: Any, scores: Sequence[Tensor]) -> list[Tensor]:
    """Anchors or points of each level."""
    sizes = [one.shape[-2:] for one in scores]
    return head.prior_generator.grid_priors(sizes, device=scores[0].device)


def _activated(head: Any, scores: Tensor) -> Tensor:
    """Scores of the classes, without the background, of shape (N, C)."""
    return scores.sigmoid() if head.use_sigmoid_cls else scores.softmax(-1)[:, :-1]
