"""Counts against the paper's tables and mmdet's published figures."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torch import nn

from senet_mm.backbones import SEResNet
from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.classifier import classifier_of
from senet_mm.profiling.complexity import (
    MultiplyAdds,
    blank_image,
    build_backbone,
    build_detector,
    count_parameters,
    eq_5,
    stage_costs,
)

SIZE = (224, 224)  # pixels
NETS = {name: config_path(f"faster_rcnn_{name}_fpn.py") for name in ("r50", "se_r50")}


@pytest.fixture
def backbones(shapes_alone: None) -> dict[str, nn.Module]:
    """ResNet-50 and SE-ResNet-50, stride in the 3x3."""
    return {name: build_backbone(Config.fromfile(path)) for name, path in NETS.items()}


def test_stages_add_up_and_se_is_counted(backbones) -> None:
    plain, se = (stage_costs(backbone, SIZE) for backbone in backbones.values())
    for costs in (plain, se):
        assert [cost.name for cost in costs] == [
            "stem", "layer1", "layer2", "layer3", "layer4", "total",
        ]  # fmt: skip
        assert sum(cost.parameters for cost in costs[:-1]) == costs[-1].parameters
        assert sum(cost.multiply_adds for cost in costs[:-1]) == costs[-1].multiply_adds
    added = [after.parameters - before.parameters for before, after in zip(plain, se, strict=True)]
    assert added == [0, 25_392, 133_248, 792_960, 1_579_392, 2_530_992]
    # layer4: three units of 2048 channels, 7x7: pooling and scale, gate, two layers
    expected = 3 * (2 * 2048 * 49 + 2048 + 2 * 2048 * 128)
    assert se[4].multiply_adds - plain[4].multiply_adds == expected


def test_attached_se_costs_what_se_in_the_units_does(backbones) -> None:
    plain = Config.fromfile(NETS["r50"]).model.backbone
    config = dict(type="SEBackbone", backbone=plain, units=r"layer\d\.\d\.bn3")
    attached = build_backbone(Config(dict(model=dict(backbone=config))))
    assert stage_costs(attached, SIZE) == stage_costs(backbones["se_r50"], SIZE)
    assert classifier_of(attached, "any") == classifier_of(backbones["se_r50"], "any")


def test_eq_5(backbones) -> None:
    assert eq_5(backbones["se_r50"]) == 2_514_944
    assert eq_5(backbones["r50"]) == 0
    cfg = Config.fromfile(config_path("ablations/table15_se_3x3.py"))
    assert eq_5(build_backbone(cfg)) == 157_184


@pytest.mark.slow
def test_faster_rcnn_r50_at_mmdets_published_figures() -> None:
    cfg = Config.fromfile(config_path("faster_rcnn_r50_fpn.py"))
    model = build_detector(cfg)
    assert round(count_parameters(model) / 1e6, 2) == 41.75
    with MultiplyAdds(model) as counter, torch.no_grad():
        model(*blank_image((800, 1280)), mode="predict")
    assert abs(counter.total / 1e9 - 207.07) < 2


def test_hooks_are_removed(backbones) -> None:
    stage_costs(backbones["se_r50"], (64, 64))
    assert not any(module._forward_hooks for module in backbones["se_r50"].modules())


def test_a_deformable_convolution_counts_as_a_plain_one() -> None:
    plain = stage_costs(SEResNet(50), (64, 64))
    dcn = dict(type="DCNv2", deform_groups=1)
    deformable = SEResNet(50, dcn=dcn, stage_with_dcn=(False, False, False, True))
    # beyond it, the convolutions that predict 27 offsets and masks: 3 units of 512 channels, 2x2
    added = stage_costs(deformable, (64, 64))[4].multiply_adds - plain[4].multiply_adds
    assert added == 3 * 27 * 512 * 9 * 2 * 2


@pytest.mark.usefixtures("shapes_alone")
def test_other_families() -> None:
    regnet = MODELS.build(dict(type="RegNet", arch="regnetx_400mf"))
    assert stage_costs(regnet, (64, 64))[-1].parameters == count_parameters(regnet)
    darknet = MODELS.build(dict(type="CSPDarknet"))
    darknet.eval()  # which returns None
    assert [cost.name for cost in stage_costs(darknet, (64, 64))] == ["total"]
    assert stage_costs(darknet, (64, 64))[0].parameters == count_parameters(darknet)
