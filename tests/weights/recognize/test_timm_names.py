"""Weights of timm's nets under all names that they have go into TimmBackbone, and fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from senet_mm.backbones import TimmBackbone
from senet_mm.weights.load.report import LoadReport
from senet_mm.weights.recognize.normalization import HALF_RGB, IMAGENET_RGB

pytestmark = pytest.mark.slow


def load(backbone: TimmBackbone, weights: dict[str, Tensor], folder: Path) -> LoadReport:
    path = folder / "weights.pth"
    torch.save(weights, path)
    backbone.init_cfg = dict(type="Pretrained", checkpoint=str(path))
    backbone.init_weights()
    backbone.eval()
    return backbone.load_report


def worst(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest error of maps, relative to the largest value of each."""
    pairs = list(zip(ours, theirs, strict=True))
    assert all(a.shape == b.shape for a, b in pairs)
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def maps_of(net: nn.Module, modules: list[str], x: Tensor) -> list[Tensor]:
    maps: list[Tensor] = []
    for name in modules:
        # a copy: what follows may change it in place
        net.get_submodule(name).register_forward_hook(lambda *args: maps.append(args[2].clone()))
    with torch.no_grad():
        net.eval()(x)
    return maps


@pytest.mark.parametrize(
    "name",
    [
        "resnet18d",
        "resnetv2_18",  # timm folds its stem, whose parts have names
        "regnety_002",
        "convnext_atto",
        "efficientnet_b0",
        "swin_s3_tiny_224",
        "test_vit",
        "legacy_xception",
    ],
)
def test_timms_own_names(name: str, tmp_path: Path) -> None:
    net = timm.create_model(name)
    backbone = TimmBackbone(name)
    report = load(backbone, net.state_dict(), tmp_path)
    assert report.family == "timm" and report.is_complete and not report.identity
    cfg = net.pretrained_cfg
    assert report.preprocessing.mean == pytest.approx([255 * value for value in cfg["mean"]], 1e-4)
    values = iter(net.state_dict().values())  # the same order, but more behind the last map
    for key, value in backbone.state_dict().items():
        assert any(value.shape == v.shape and torch.equal(value, v) for v in values), key


def test_vgg_of_torchvision(tmp_path: Path, randomize: Callable) -> None:
    net = torchvision.models.vgg16_bn(num_classes=2)
    randomize(net.features)
    backbone = TimmBackbone("vgg16_bn", out_indices=[0, 1, 2, 3, 4, 5])
    weights = {k: v for k, v in net.state_dict().items() if not k.startswith("classifier.3")}
    report = load(backbone, weights, tmp_path)
    assert report.family == "VGG of torchvision, timm and mmcv"
    assert report.preprocessing == IMAGENET_RGB
    assert set(report.others) == {k for k in weights if k.startswith("classifier")}
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert worst(backbone(x), maps_of(
            net, [f"features.{n}" for n in (5, 12, 22, 32, 42, 43)], x
        )) < 1e-5  # fmt: skip
    # mmpretrain counts a convolution with what follows it as one, and pools as one too
    convolutions = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
    numbers = (0, 1, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16)
    features = net.features.state_dict()
    renamed = {}
    for ours, theirs in zip(convolutions, numbers, strict=True):
        for layer, offset in (("conv", 0), ("bn", 1)):
            start = f"{ours + offset}."
            renamed |= {
                f"backbone.features.{theirs}.{layer}.{key.removeprefix(start)}": value
                for key, value in features.items()
                if key.startswith(start)
            }
    before = backbone.state_dict()
    again = TimmBackbone("vgg16_bn", out_indices=[5])
    report = load(again, {"state_dict": renamed | {"head.fc.weight": torch.ones(1)}}, tmp_path)
    assert report.family == "mmpretrain's VGG-16"
    assert all(torch.equal(value, before[key]) for key, value in again.state_dict().items())


def test_inception_resnet_v2_of_pretrainedmodels(tmp_path: Path, randomize: Callable) -> None:
    pretrainedmodels = pytest.importorskip("pretrainedmodels")
    net = randomize(pretrainedmodels.inceptionresnetv2(num_classes=1000, pretrained=None))
    backbone = TimmBackbone("inception_resnet_v2", out_indices=[0, 1, 2, 3, 4])
    report = load(backbone, net.state_dict(), tmp_path)
    assert report.family == "Inception-ResNet-v2 of timm and Cadene's"
    assert report.preprocessing == HALF_RGB
    assert report.others == ("last_linear.weight", "last_linear.bias")
    x = torch.randn(1, 3, 139, 171)
    names = ["conv2d_2b", "conv2d_4a", "repeat", "repeat_1", "conv2d_7b"]
    net.avgpool_1a = nn.AdaptiveAvgPool2d(1)
    with torch.no_grad():
        assert worst(backbone(x), maps_of(net, names, x)) < 1e-5


def test_mobilenet_of_pytorchcv(tmp_path: Path, randomize: Callable) -> None:
    models = pytest.importorskip("pytorchcv.models.mobilenet")
    net = randomize(models.mobilenet_w1(in_size=(96, 96)))
    net.features.final_pool = nn.AdaptiveAvgPool2d(1)
    # the paper's ReLU, where timm has ReLU6
    backbone = TimmBackbone("mobilenetv1_100", act_layer="relu", out_indices=[0, 1, 2, 3, 4])
    report = load(backbone, net.state_dict(), tmp_path)
    assert report.family == "PyTorchCV's MobileNet"
    x = 100 * torch.randn(1, 3, 96, 96)
    theirs = maps_of(net, [f"features.stage{n}" for n in range(1, 6)], x)
    with torch.no_grad():
        assert worst(backbone(x), theirs) < 1e-5
        other = TimmBackbone("mobilenetv1_100", out_indices=[0, 1, 2, 3, 4]).eval()
        other.load_state_dict(backbone.state_dict())
        assert worst(other(x), theirs) > 1e-3


def test_mobilenet_is_fed_as_timm_says(tmp_path: Path) -> None:
    net = timm.create_model("mobilenetv1_100")
    assert (
        load(TimmBackbone("mobilenetv1_100"), net.state_dict(), tmp_path).preprocessing == HALF_RGB
    )


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    net = timm.create_model("resnet34d", num_classes=2)
    with pytest.raises(ValueError, match=r"not those of this TimmBackbone: .*without a place"):
        load(TimmBackbone("resnet18d"), net.state_dict(), tmp_path)
    with pytest.raises(ValueError, match=r"not those of this TimmBackbone: .*missing"):
        load(
            TimmBackbone("regnetx_002"),
            net.state_dict() | {"stem.conv.weight": net.conv1[0].weight.data},
            tmp_path,
        )
    # a net that is cut takes weights of the whole
    assert load(
        TimmBackbone("resnet34d", out_indices=[1, 2]), net.state_dict(), tmp_path
    ).is_complete
    vit = timm.create_model("test_vit")
    assert load(
        TimmBackbone("test_vit", out_indices=[1, 2]), vit.state_dict(), tmp_path
    ).is_complete
    # the same shapes, but timm's ports of TensorFlow's nets pad in another way
    init_cfg = dict(type="Pretrained", checkpoint="timm://tf_efficientnet_b0.ns_jft_in1k")
    backbone = TimmBackbone("efficientnet_b0", init_cfg=init_cfg)
    with pytest.raises(
        ValueError, match="set model_name=.tf_efficientnet_b0., or give weights of efficientnet_b0"
    ):
        backbone.init_weights()
