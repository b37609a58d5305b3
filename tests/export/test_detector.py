"""The plain function of a picture gives what mmdet's own ``predict`` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from torch import nn

from senet_mm.export.detector import PlainDetector
from tests.export.nets import CONFIGS, scene, small_detector


def predicted(model: Any, picture: np.ndarray) -> Any:
    """mmdet's own result on a picture as it is."""
    size = picture.shape[:2]
    sample = DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0)))
    image = torch.from_numpy(picture).permute(2, 0, 1)
    with torch.no_grad():
        (result,) = model.test_step(dict(inputs=[image], data_samples=[sample]))
    return result.pred_instances


def run(model: nn.Module, picture: np.ndarray, **options: Any) -> list[torch.Tensor]:
    with torch.no_grad():
        return list(PlainDetector(model, **options)(torch.from_numpy(picture)))


@pytest.mark.parametrize("se", [False, True], ids=["plain", "se"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_equals_mmdet(kind: str, se: bool) -> None:
    model = small_detector(kind, se=se)
    picture = scene(90, 130)
    expected = predicted(model, picture)
    boxes, labels, scores, *_ = run(model, picture)
    assert len(expected) >= 20 and len(set(expected.labels.tolist())) > 1
    torch.testing.assert_close(scores, expected.scores, rtol=0, atol=1e-6)
    torch.testing.assert_close(boxes, expected.bboxes, rtol=0, atol=1e-4)
    assert torch.equal(labels, expected.labels)


@pytest.mark.parametrize("kind", ["faster", "fcos"])
def test_candidates_are_what_suppression_chooses_from(kind: str) -> None:
    model = small_detector(kind, se=True)
    picture = scene(90, 130)
    boxes, labels, scores = run(model, picture)
    all_boxes, all_labels, all_scores = run(model, picture, suppress=False)
    assert len(all_boxes) > len(boxes)
    rows = torch.cat((all_boxes, all_labels[:, None], all_scores[:, None]), dim=1)
    kept = torch.cat((boxes, labels[:, None], scores[:, None]), dim=1)
    assert (kept[:, None] == rows[None]).all(dim=2).any(dim=1).all()
    assert all_scores.min() > 0.05 or kind == "fcos"  # its scores are weighted after the threshold


@pytest.mark.parametrize("kind", ["mask", "retina"])
def test_nothing_is_found(kind: str) -> None:
    model = small_detector(kind, se=False)
    head: Any = model.roi_head if kind == "mask" else model.bbox_head
    head.test_cfg.score_thr = 1.0
    boxes, labels, scores, *masks = run(model, scene(64, 64))
    assert boxes.shape == (0, 4) and len(labels) == len(scores) == 0
    assert all(len(mask) == 0 for mask in masks)
