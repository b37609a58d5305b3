"""Backbones by name: which there are, what they build, and what weights do to them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from mmengine.config import Config

import senet_mm
from senet_mm.backbones.named import _AROUND, _BACKBONES, create_backbone, list_backbones
from senet_mm.layers import detach_se
from senet_mm.weights import preprocessing
from senet_mm.weights.read import sources
from senet_mm.weights.read.checkpoint import Checkpoint

# which of the configs has the same net
CONFIGS = {
    "se_bn_inception": "faster_rcnn_se_bn_inception_fpn.py",
    "se_inception_resnet_v2": "faster_rcnn_se_inception_resnet_v2_fpn.py",
    "se_mobilenet": "faster_rcnn_se_mobilenet_fpn.py",
    "se_shufflenet": "faster_rcnn_se_shufflenet_fpn.py",
    "se_vgg16_bn": "faster_rcnn_se_vgg16_bn_fpn.py",
    "se_resnet110_cifar": "classification/se_resnet110_cifar10.py",
    "se_resnet164_cifar": "classification/se_resnet164_cifar10.py",
    "se_wrn16_8_cifar": "classification/se_wrn16_8_cifar10.py",
    "se_shake_resnet26_2x96d_cifar": "classification/se_shake_resnet26_2x96d_cifar10.py",
    "se_shake_resnext29_2x4x64d_cifar": "classification/se_shake_resnext29_2x4x64d_cifar100.py",
}


def test_the_list() -> None:
    names = list_backbones()
    assert len(names) == len(set(names)) == 34
    assert list_backbones("se_resnext*") == [
        "se_resnext50_32x4d",
        "se_resnext101_32x4d",
        "se_resnext101_32x8d",
        "se_resnext101_64x4d",
        "se_resnext101d_32x8d",
    ]
    assert list_backbones("*154") == ["senet154", "legacy_senet154"]
    assert list_backbones("none*") == []


def test_no_two_names_differ_by_marks_alone() -> None:
    names = list_backbones()
    assert len({name.replace("_", "") for name in names}) == len(names)


@pytest.mark.parametrize("name", ["seresnet18", "se_resnet_18", "SE-ResNet-18", "se_resnet18"])
def test_names_as_others_write_them(name: str) -> None:
    net = create_backbone(name, out_indices=(1, 3))
    assert type(net) is senet_mm.SEResNet and net.depth == 18
    assert net.channels == [128, 512] and net.strides == [8, 32]


@pytest.mark.parametrize(
    ("name", "near"), [("se_resnet17", "se_resnet18"), ("senet145", "senet154"), ("", None)]
)
def test_there_is_no_such_backbone(name: str, near: str | None) -> None:
    with pytest.raises(ValueError, match=f"no backbone '{name}'.*list_backbones") as told:
        create_backbone(name)
    assert "\n" not in str(told.value)
    assert near is None or near in str(told.value)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        (
            "seresnet50.a1_in1k",
            {},
            r"weights: create_backbone\('seresnet50', weights='timm://seresne",
        ),
        ("se_resnet18", dict(pretrained=True), "pretrained=True: expected weights='timm://NAME'"),
        ("se_resnet18", dict(weights=True), "weights are a bool: expected the name of a file"),
        ("se_resnet18", dict(weights={}), "weights are a dict: .* load_state_dict"),
        ("se_resnet18", dict(weights="DEFAULT"), "DEFAULT not found; known schemes are timm://"),
        ("se_resnet18", dict(frozen_stage=1), "SEResNet takes no 'frozen_stage'; .* frozen_stages"),
        ("senet154", dict(in_chans=1), "SENet takes no 'in_chans': in_channels is meant"),
        (
            "se_shufflenet",
            dict(num_classes=3),
            "ShuffleNetV1 takes no 'num_classes': .* no classif",
        ),
        (
            "se_shufflenet",
            dict(out_index=(3,)),
            "ShuffleNetV1 takes no 'out_index'; .* out_indices",
        ),
    ],
)
def test_words_of_others_are_told_ours(name: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match=told) as caught:
        create_backbone(name, **options)
    assert "\n" not in str(caught.value)


def test_weights_by_their_path(tmp_path: Path) -> None:
    net = create_backbone("se_resnet18")
    torch.save({"net": net.state_dict()}, tmp_path / "net.pth")
    again = create_backbone("se_resnet18", weights=tmp_path / "net.pth")
    assert again.load_report.source == str(tmp_path / "net.pth")
    torch.testing.assert_close(again.state_dict(), net.state_dict(), rtol=0, atol=0)
    assert preprocessing(tmp_path / "net.pth") == preprocessing("timm://seresnet50.a1_in1k")


def timms(name: str) -> str:
    """The name as timm writes it."""
    return name.replace("se_res", "seres")


@pytest.mark.usefixtures("shapes_alone")
@pytest.mark.parametrize("name", [n for n in list_backbones() if timm.is_model(timms(n))])
def test_each_has_the_parameters_of_timms(name: str) -> None:
    peer = timm.create_model(timms(name), num_classes=0)
    shapes = [
        sorted(tuple(p.shape) for p in net.parameters()) for net in (peer, _BACKBONES[name]())
    ]
    if name in ("se_resnet18", "se_resnet34"):  # timm rounds 64 / 16 hidden channels up to 8
        assert len(shapes[0]) == len(shapes[1])
    else:
        assert shapes[0] == shapes[1]


def test_most_of_the_resnets_are_compared() -> None:
    assert sum(timm.is_model(timms(name)) for name in list_backbones()) >= 16


@pytest.mark.parametrize("name", CONFIGS)
def test_the_papers_other_networks_are_those_of_the_configs(name: str, repo: Path) -> None:
    backbone = Config.fromfile(repo / "configs" / CONFIGS[name]).model.backbone
    plain, units = _AROUND[name]
    # what a training freezes and begins with is no part of the network
    configured = {
        key: value
        for key, value in backbone.backbone.items()
        if key not in ("frozen_stages", "norm_eval", "init_cfg")
    }
    assert dict(plain, type=f"mmdet.{plain['type']}" if "cifar" in name else plain["type"]) == {
        key: value for key, value in configured.items() if (key, value) != ("backward", "even")
    }
    assert backbone.units == units
    assert backbone.get("input_shape", [1, 3, 224, 224])[2] == (32 if "cifar" in name else 224)


def test_all_of_these_are_compared_with_a_config() -> None:
    assert CONFIGS.keys() == _AROUND.keys()


def test_options_reach_the_net_and_its_se() -> None:
    net = create_backbone(
        "se_shufflenet", out_indices=(2, 3), se_cfg=dict(identity_init=True), groups=1
    )
    assert net.channels == [288, 576]
    x = torch.rand(1, 3, 64, 64)
    plain = detach_se(copy.deepcopy(net.eval()))
    for gated, without in zip(net(x), plain(x), strict=True):
        torch.testing.assert_close(gated, without)


def test_batch_norm_follows_train() -> None:
    assert create_backbone("se_resnet18").layer1[0].bn1.training
    assert not create_backbone("se_resnet18", norm_eval=True).train().layer1[0].bn1.training


@pytest.mark.parametrize("name", ["legacy_se_resnet18", "se_resnext50_32x4d"])
@torch.no_grad()
def test_weights_of_timm_compute_what_they_do_there(name: str, randomize, monkeypatch) -> None:
    theirs = timms(name)
    peer = randomize(timm.create_model(theirs)).eval()
    full = next(iter(timm.list_pretrained(f"{theirs}*")))

    def fetch(source: str) -> Checkpoint:
        assert source == f"timm://{full}"
        return Checkpoint(source, peer.state_dict())

    monkeypatch.setattr(sources, "fetch_timm", fetch)
    net = create_backbone(theirs, weights=f"timm://{full}", out_indices=(3,)).eval()
    assert not net.load_report.missing and net.load_report.source == f"timm://{full}"
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    (found,) = net(x)
    expected = peer.forward_features(x)
    assert (found - expected).norm() <= 1e-5 * expected.norm()


def test_weights_of_another_net(tmp_path: Path) -> None:
    torch.save(timm.create_model("legacy_seresnet50").state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match="style='caffe'.*stem_pool='ceil'"):
        create_backbone("se_resnet50", weights=str(tmp_path / "net.pth"))
    with pytest.raises(FileNotFoundError, match="none.pth not found"):
        create_backbone("se_resnet18", weights="none.pth")
    with pytest.raises(ValueError, match="weights or init_cfg, not both"):
        create_backbone("se_resnet18", weights="none.pth", init_cfg=None)
