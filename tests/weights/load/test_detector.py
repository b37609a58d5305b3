"""Detectors with SE behind units, from checkpoints with and without it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from senet_mm.weights.load.detector import backbone_of, check_se_is_kept, match_detector
from senet_mm.weights.read.checkpoint import Checkpoint

pytestmark = pytest.mark.slow

MOBILE = dict(type="MobileNetV2", widen_factor=0.25)
RESNET = dict(type="ResNet", depth=18)
UNITS = {"MobileNetV2": r"layer\d\.\d\.linear_conv\.bn", "ResNet": r"layer\d\.\d\.bn2"}


class Detector(nn.Module):
    def __init__(self, backbone: dict[str, Any]) -> None:
        super().__init__()
        self.backbone = MODELS.build(backbone)
        self.head = nn.Linear(2, 2)


def with_se(plain: dict[str, Any], **se_cfg: Any) -> Detector:
    options = dict(squeeze_channels=4) | se_cfg
    units = UNITS[plain["type"]]
    return Detector(dict(type="SEBackbone", backbone=plain, units=units, se_cfg=options))


def saved(net: nn.Module, prefix: str = "") -> Checkpoint:
    return Checkpoint("a.pth", {prefix + key: v for key, v in net.state_dict().items()})


@pytest.mark.parametrize("plain", [MOBILE, RESNET], ids=lambda cfg: cfg["type"])
def test_a_plain_detector_goes_into_one_whose_se_starts_as_the_identity(plain) -> None:
    source = Detector(plain)
    with pytest.raises(ValueError, match="have no SE in layer1.*identity_init=True"):
        match_detector(with_se(plain), saved(source))
    for prefix in ("", "teacher."):
        weights, report = match_detector(
            with_se(plain, identity_init=True), saved(source, prefix), prefix or None
        )
        assert report.identity
        assert weights.keys() == source.state_dict().keys()
        assert torch.equal(weights["head.weight"], source.head.weight)
        key = next(iter(source.backbone.state_dict()))
        assert torch.equal(weights[f"backbone.{key}"], source.backbone.state_dict()[key])


@pytest.mark.parametrize("plain", [MOBILE, RESNET], ids=lambda cfg: cfg["type"])
def test_a_detector_with_se_goes_into_its_like_alone(plain) -> None:
    source = with_se(plain)
    weights, report = match_detector(with_se(plain), saved(source))
    assert report.is_complete
    assert weights.keys() == source.state_dict().keys()
    with pytest.raises(ValueError, match=r"SE .*use the config that was saved with"):
        match_detector(Detector(plain), saved(source))


def test_a_classifier_goes_into_the_backbone() -> None:
    source = Detector(MOBILE).backbone
    given = Checkpoint("a.pth", {**source.state_dict(), "classifier.weight": torch.ones(1)})
    weights, _ = match_detector(with_se(MOBILE, identity_init=True), given)
    assert torch.equal(weights["backbone.conv1.conv.weight"], source.conv1.conv.weight)
    assert "classifier.weight" in weights


def test_backbones_of_mmdet_are_left_to_mmengine() -> None:
    model = Detector(MOBILE)
    assert backbone_of(model) is None
    given = Checkpoint("a.pth", {"backbone.conv1.conv.weight": torch.ones(1)})
    assert match_detector(model, given) == (given.state_dict, None)
    check_se_is_kept(model, model.state_dict(), "a.pth")
    check_se_is_kept(nn.Linear(2, 2), {"head.se.fc1.weight": 0}, "a.pth")  # of no backbone
