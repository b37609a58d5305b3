"""Detectors that predict in another way are refused, each in one line."""

from __future__ import annotations

from typing import Any

import pytest
from mmdet.models.dense_heads import RetinaHead
from torch import nn

from senet_mm.export.supported import check_supported
from senet_mm.profiling.complexity import build_detector
from tests.export.nets import CONFIGS, small_config, small_detector


class OwnRetinaHead(RetinaHead):
    """A head that overrides what is written down."""

    def _predict_by_feat_single(self, *args: Any, **kwargs: Any) -> Any:
        return super()._predict_by_feat_single(*args, **kwargs)


def problem(model: nn.Module) -> str:
    with pytest.raises(ValueError) as caught:
        check_supported(model)
    assert "\n" not in str(caught.value) and "supported: Faster" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", CONFIGS)
def test_ours_are_supported(kind: str, shapes_alone: None) -> None:
    check_supported(build_detector(small_config(kind, se=True)))


def test_another_kind_of_nms() -> None:
    cfg = small_config("faster", se=False)
    cfg.model.test_cfg.rcnn.nms = dict(type="soft_nms", iou_threshold=0.5)
    assert "nms={'type': 'soft_nms'" in problem(build_detector(cfg))


def test_an_own_head() -> None:
    cfg = small_config("retina", se=False)
    cfg.model.bbox_head.type = OwnRetinaHead
    assert "OwnRetinaHead predicts in a way of its own" in problem(build_detector(cfg))


def test_another_extractor() -> None:
    cfg = small_config("faster", se=False)
    cfg.model.roi_head.bbox_roi_extractor.type = "GenericRoIExtractor"
    assert "its bbox_roi_extractor is a GenericRoIExtractor" in problem(build_detector(cfg))


def test_what_is_no_detector() -> None:
    assert "its data_preprocessor is a NoneType" in problem(nn.Linear(1, 1))


def test_another_preprocessor() -> None:
    model = small_detector("retina", se=False)
    model.data_preprocessor = nn.Identity()
    assert "its data_preprocessor is a Identity" in problem(model)
