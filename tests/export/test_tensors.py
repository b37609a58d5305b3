"""Operations on boxes beside plain torch and mmcv."""

from __future__ import annotations

import pytest
import torch
from mmcv.ops import batched_nms

from senet_mm.export.tensors import clip, flat, larger_than, nms_by_group, picture_size, top


def test_top_takes_no_more_than_there_are() -> None:
    scores = torch.tensor([0.2, 0.9, 0.5])
    assert [one.tolist() for one in top(scores, 2)] == [pytest.approx([0.9, 0.5]), [1, 2]]
    assert len(top(scores, 10)[0]) == 3
    assert top(scores, -1)[1].tolist() == [0, 1, 2]
    assert len(top(scores[:0], 5)[0]) == 0


def test_picture_size_bounds_boxes() -> None:
    bounds = picture_size(torch.zeros(30, 40, 3, dtype=torch.uint8))
    assert bounds.tolist() == [40, 30, 40, 30]
    box = torch.tensor([[-3.0, 5.0, 50.0, 31.0]])
    assert clip(box, bounds).tolist() == [[0, 5, 40, 30]]


def test_larger_than() -> None:
    boxes = torch.tensor([[0.0, 0, 3, 3], [0, 0, 3, 0], [0, 0, 1, 9]])
    assert larger_than(boxes, -1).tolist() == [True, True, True]
    assert larger_than(boxes, 0).tolist() == [True, False, True]
    assert larger_than(boxes, 2).tolist() == [True, False, False]


def test_flat_has_the_order_of_anchors() -> None:
    maps = torch.arange(2 * 3 * 4 * 5.0).reshape(1, 6, 4, 5)  # two anchors of width 3
    rows = flat(maps, 3)
    assert rows[(2 * 5 + 4) * 2 + 1].tolist() == maps[0, 3:, 2, 4].tolist()


def test_nms_equals_mmcv() -> None:
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(300, 2, generator=generator) * 90
    boxes = torch.cat((corners, corners + 5 + torch.rand(300, 2, generator=generator) * 40), dim=1)
    scores = torch.rand(300, generator=generator)
    groups = torch.randint(4, (300,), generator=generator)
    _, expected = batched_nms(boxes, scores, groups, dict(type="nms", iou_threshold=0.4))
    assert torch.equal(nms_by_group(boxes, scores, groups, 0.4), expected)
    assert 20 < len(expected) < 250
    assert len(nms_by_group(boxes[:0], scores[:0], groups[:0], 0.4)) == 0
