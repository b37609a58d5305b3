"""Every family: recognized by its keys, loaded through init_cfg, equal to its peer, and back."""

from pathlib import Path

import pytest
import timm
import torch
from mmdet.registry import MODELS

from senet_mm.weights.convert import convert
from senet_mm.weights.load.match import load_weights
from senet_mm.weights.read.checkpoint import unwrap
from senet_mm.weights.read.sources import fetch
from senet_mm.weights.recognize.backbone import find_backbone
from senet_mm.weights.recognize.backbone_config import backbone_config
from senet_mm.weights.recognize.families import BY_NAME, named_family, recognize
from senet_mm.weights.recognize.normalization import CAFFE_BGR, DETECTRON_BGR
from tests.weights.peers import PEERS, Peer, stage_maps

pytestmark = pytest.mark.slow

CASES = [
    pytest.param(peer, id=peer.id, marks=pytest.mark.slow if peer.config["depth"] > 50 else ())
    for peer in PEERS
]


@pytest.mark.parametrize("peer", CASES)
def test_family(peer: Peer, tmp_path: Path, randomize) -> None:
    net = randomize(peer.make()).eval()
    path = str(tmp_path / "weights.pth")
    torch.save(peer.wrap(net.state_dict()), path)

    checkpoint = fetch(path)
    found = find_backbone(checkpoint)
    assert found.family.name == peer.family

    backbone = MODELS.build(peer.config)
    report = load_weights(backbone, path)
    assert len(report.matched) == report.expected == len(backbone.state_dict())
    assert report.is_complete
    assert not report.new
    backbone.eval()
    x = torch.randn(1, 3, 66, 49, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(backbone(x), stage_maps(net, x), strict=True):
            assert theirs.std() > 0.05
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm()

    if peer.config["depth"] not in (18, 50, 154):
        return  # other depths of a family differ in number alone
    # the config that is derived from the weights builds the same net
    derived = MODELS.build(backbone_config(found))
    assert derived.state_dict().keys() == backbone.state_dict().keys()

    if timm.is_model(peer.name):
        back, _ = convert(checkpoint, found, to="timm")
        for key, tensor in net.state_dict().items():
            assert torch.equal(back["state_dict"][key], tensor), key


def test_names_tell_caffe_style_nets_from_torchvisions() -> None:
    caffe = recognize(["conv1.weight"], "open-mmlab://detectron2/resnet50_caffe")
    assert (caffe.name, caffe.preprocessing) == ("caffe", CAFFE_BGR)
    assert recognize(["conv1.weight"], "cache/resnet101_msra-6cc46731.pth").name == "caffe"
    old = recognize(["conv1.weight"], "open-mmlab://detectron/resnet50_caffe")
    assert old.preprocessing == DETECTRON_BGR
    assert recognize(["conv1.weight"], "torchvision://resnet50").name == "shared"
    # a name that was given up is the present one
    old = recognize(["conv1.weight"], "open-mmlab://resnet50_caffe")
    assert (old.name, old.preprocessing) == ("detectron", DETECTRON_BGR)
    for source in ("open-mmlab://detectron/resnet50_gn", "cache/resnet50_gn-9186a21c.pth"):
        group_norm = recognize(["conv1.weight", "gn1.weight"], source)
        assert (group_norm.name, group_norm.preprocessing) == ("detectron_gn", CAFFE_BGR)
        assert group_norm.hidden(None).style == "pytorch"
    # neither a folder's name nor that of an SE net tells it
    assert recognize(["conv1.weight"], "/data/resnet50_caffe/torchvision.pth").name == "shared"
    assert recognize(["layer1.0.se.fc1.weight"], "se_resnet50_caffe.pth").name == "shared"
    # keys of another family win over what a user called the file
    assert (
        recognize(["layer0.conv1.weight", "a.se_module.b"], "resnet50_caffe.pth").name == "legacy"
    )
    assert named_family("torchvision://resnet50") is None


def test_a_caffe_style_net_needs_style_caffe(tmp_path: Path) -> None:
    path = str(tmp_path / "resnet50_msra-mine.pth")
    torch.save(MODELS.build(dict(type="ResNet", depth=50)).state_dict(), path)
    plain = dict(type="ResNet", depth=50)
    with pytest.raises(ValueError, match=r"style='caffe' \(the backbone has 'pytorch'\)"):
        load_weights(MODELS.build(plain), path)
    assert load_weights(MODELS.build(plain | dict(style="caffe")), path).preprocessing == CAFFE_BGR


def test_every_family_has_a_name_of_its_own() -> None:
    assert len(BY_NAME) == len({id(family) for family in BY_NAME.values()}) == 12
    assert all(name == family.name for name, family in BY_NAME.items())


def test_wrappers_and_prefixes_are_taken_off() -> None:
    weights = {"layer1.0.conv1.weight": torch.ones(2), "fc.weight": torch.zeros(1)}
    for content in (
        weights,
        {"state_dict": weights},
        {"model": weights, "epoch": 3},
        {"state_dict": {key: -value for key, value in weights.items()}, "model_ema": weights},
        {f"module.{key}": value for key, value in weights.items()},
        {
            "model_ema": {"n_averaged": torch.tensor(3)}
            | {f"module.{k}": weights[k] for k in weights}
        },
        {"state_dict": {f"module._orig_mod.{key}": value for key, value in weights.items()}},
        {"net": weights, "epoch": 3, "optimizer": {"state": {0: {"exp_avg": torch.ones(1)}}}},
        {"model_state_dict": {f"module.{k}": weights[k] for k in weights}},
        {"state_dict": weights, "swa": {key: -value for key, value in weights.items()}},
    ):
        tensors = unwrap("x.pth", content).state_dict
        assert tensors.keys() == weights.keys()
        assert torch.equal(tensors["layer1.0.conv1.weight"], torch.ones(2))
    with pytest.raises(ValueError, match=r"x\.pth holds no tensors, only \['epoch'\]"):
        unwrap("x.pth", {"epoch": 3})
    with pytest.raises(
        ValueError, match=r"several sets of tensors \(student, teacher\).*'state_di"
    ):
        unwrap("x.pth", {"student": weights, "teacher": weights})


def test_several_backbones_need_a_prefix() -> None:
    net = MODELS.build(dict(type="ResNet", depth=18)).state_dict()
    tensors = {
        f"{who}.backbone.{key}": v for who in ("teacher", "student") for key, v in net.items()
    }
    checkpoint = unwrap("semi.pth", {"state_dict": tensors})
    both = r"\['teacher.backbone.', 'student.backbone.'\]"
    with pytest.raises(ValueError, match=f"several backbones, below {both}: name one, by init_cfg"):
        find_backbone(checkpoint)
    with pytest.raises(ValueError, match=f"prefix='x.': expected one of {both}"):
        find_backbone(checkpoint, "x")
    found = find_backbone(checkpoint, "teacher.backbone")
    assert found.tensors.keys() == net.keys()
    assert len(found.others) == len(net)
