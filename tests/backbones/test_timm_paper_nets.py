"""VGG-16, Inception-ResNet-v2 and MobileNet through timm: the paper's counts, plain and with SE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import timm
import torch
from mmdet.registry import MODELS
from torch import nn

from senet_mm.backbones import TimmBackbone
from senet_mm.layers.attach import attach_se
from senet_mm.weights.recognize.normalization import HALF_RGB

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Counts:
    """A row of Tables 2 and 3, as recomputed.

    Attributes:
        units: What SE goes behind.
        blocks: How many that are.
        backbone: Parameters without classifier, plain and with SE and its biases.
        whole: Parameters with the classifier: plain, with SE without biases, and with them.
        side: Of the pictures.
        macs: Billions of multiply-adds with the classifier: plain; with SE's layers; with them
            and one pass over the maps; with two.
    """

    units: str
    blocks: int
    backbone: tuple[int, int]
    whole: tuple[int, int, int]
    side: int
    macs: tuple[float, float, float, float]


NETS = {
    "vgg16_bn": Counts(
        r"timm_model\.features_(2|5|9|12|16|19|22|26|29|32|36|39|42)",
        13,
        (14_723_136, 14_953_928),
        (138_365_992, 138_592_296, 138_596_784),
        224,
        (15.4703, 15.4705, 15.4840, 15.4976),
    ),
    "inception_resnet_v2": Counts(
        r"timm_model\.(repeat(_1|_2)?\.\d+|block8)\.conv2d",
        40,
        (54_306_464, 62_850_444),
        (55_843_464, 64_338_824, 64_387_444),
        299,
        (13.1558, 13.1643, 13.1758, 13.1874),
    ),
    "mobilenetv1_100": Counts(
        r"timm_model\.blocks\.\d\.\d\.bn2",
        13,
        (3_206_976, 3_693_044),
        (4_231_976, 4_711_720, 4_718_044),
        224,
        (0.56874, 0.56922, 0.57193, 0.57464),
    ),
}


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def multiply_adds(net: nn.Module, side: int) -> int:
    """Of the convolutions and fully connected layers, from the sizes of what they put out."""
    found: list[int] = []
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(
                lambda layer, inputs, output: found.append(output.numel() * layer.weight[0].numel())
            )
    net.eval()(torch.zeros(1, 3, side, side))
    return sum(found)


@pytest.mark.parametrize("name", NETS)
def test_counts_are_the_papers(name: str, shapes_alone: None) -> None:
    counts = NETS[name]
    net = timm.create_model(name)
    whole = parameters(net)
    assert whole == counts.whole[0]
    for bias in (False, True):
        backbone = TimmBackbone(name)
        plain = parameters(backbone)
        assert plain == counts.backbone[0]
        blocks = attach_se(backbone, counts.units, dict(reduction=16, bias=bias))
        assert len(blocks) == counts.blocks
        assert whole + parameters(backbone) - plain == counts.whole[1 + bias]
    assert parameters(backbone) == counts.backbone[1]
    maps: list[int] = []
    for block in blocks.values():
        block.register_forward_hook(lambda *args: maps.append(args[2].numel()))
    backbone.eval()(torch.zeros(1, 3, counts.side, counts.side))
    assert len(maps) == counts.blocks
    macs = multiply_adds(net, counts.side)
    with_se = macs + counts.whole[1] - counts.whole[0]
    totals = [macs, with_se, with_se + sum(maps), with_se + 2 * sum(maps)]
    digits = 5 if counts.macs[0] < 1 else 4
    assert tuple(round(total / 1e9, digits) for total in totals) == counts.macs


def test_se_is_before_the_constant_scale_of_inception_resnet(shapes_alone: None) -> None:
    backbone = TimmBackbone("inception_resnet_v2")
    blocks = attach_se(backbone, NETS["inception_resnet_v2"].units, {})
    order: list[str] = []
    unit = backbone.timm_model.repeat[0]
    unit.conv2d.register_forward_hook(lambda *args: order.append("unit"))
    blocks["timm_model.repeat.0.conv2d"].register_forward_hook(lambda *args: order.append("SE"))
    unit(torch.zeros(1, 320, 35, 35))
    assert order == ["SE", "unit"]
    assert {block.fc2.out_channels for block in blocks.values()} == {320, 1088, 2080}


def test_vggs_maps_come_out_gated(shapes_alone: None) -> None:
    backbone = TimmBackbone("vgg16_bn")
    attach_se(backbone, NETS["vgg16_bn"].units, {})
    children = list(backbone.timm_model._modules)
    assert backbone.timm_model.return_layers["features_22"] and "features_22" in children
    assert "se" not in children


def test_a_twin_of_a_config_takes_plain_weights_and_is_frozen_with_its_net(tmp_path: Path) -> None:
    path = tmp_path / "mobilenet.pth"
    torch.save(timm.create_model("mobilenetv1_100").state_dict(), path)
    plain = dict(
        type="TimmBackbone",
        model_name="mobilenetv1_100",
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(type="Pretrained", checkpoint=str(path)),
    )
    units, se_cfg = NETS["mobilenetv1_100"].units, dict(identity_init=True)
    twin = MODELS.build(dict(type="SEBackbone", backbone=plain, units=units, se_cfg=se_cfg))
    net = MODELS.build(plain)
    net.init_weights()
    twin.init_weights()
    assert twin.out_channels == net.out_channels == [128, 256, 512, 1024]
    assert [key for key in twin.state_dict() if ".se." not in key] == list(net.state_dict())
    assert twin.load_report.preprocessing == net.load_report.preprocessing == HALF_RGB
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        for a, b in zip(net.eval()(x), twin.eval()(x), strict=True):
            assert torch.equal(a, b)
    twin.train()
    frozen = {name for name, p in twin.named_parameters() if not p.requires_grad}
    expected = re.compile(r"timm_model\.(conv_stem|bn1|blocks\.[01])\.")
    assert frozen == {name for name, _ in twin.named_parameters() if expected.match(name)}
    assert "timm_model.blocks.1.1.bn2.se.fc1.weight" in frozen
    assert not any(m.training for m in twin.modules() if isinstance(m, nn.BatchNorm2d))
    twin.init_cfg = dict(type="Pretrained", checkpoint="timm://mobilenetv1_125.ra4_e3600_r224_in1k")
    with pytest.raises(ValueError, match="set model_name='mobilenetv1_125'"):
        twin.init_weights()
