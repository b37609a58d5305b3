"""Released BN-Inception and ShuffleNet compute in our nets what they compute in their own."""

from pathlib import Path

import pytest
import torch
from torch import nn

from senet_mm.backbones import BNInception, ShuffleNetV1
from senet_mm.weights import load_weights
from senet_mm.weights.recognize.normalization import IMAGENET_RGB, Preprocessing
from tests.backbones.references import PlainBNInception, PlainShuffleNet

pytestmark = pytest.mark.slow


def saved(net: nn.Module, path: Path, prefix: str = "") -> str:
    weights = {prefix + key: value for key, value in net.state_dict().items()}
    weights |= {"head.fc.weight": torch.ones(2, 2)} if prefix else {}
    torch.save(dict(state_dict=weights, meta={}) if prefix else weights, path)
    return str(path)


@torch.no_grad()
def test_pretrainedmodels_bn_inception(randomize, tmp_path) -> None:
    peer, net = randomize(PlainBNInception()).eval(), BNInception().eval()
    report = load_weights(net, saved(peer, tmp_path / "bn_inception.pth"))
    assert report.is_complete
    assert report.family == "pretrainedmodels' BN-Inception"
    assert report.preprocessing == Preprocessing("BGR", (104.0, 117.0, 128.0), (1.0, 1.0, 1.0))
    assert report.others == ("last_linear.weight", "last_linear.bias")
    assert dict(report.renamed)["inception_3a_double_3x3_2_bn.weight"] == (
        "inception_3a.double_3x3.2.bn.weight"
    )
    x = torch.randn(1, 3, 64, 64)
    for found, expected in zip(net(x), peer(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_mmpretrains_shufflenet(randomize, tmp_path) -> None:
    peer, net = randomize(PlainShuffleNet()).eval(), ShuffleNetV1().eval()
    report = load_weights(net, saved(peer, tmp_path / "shufflenet.pth", "backbone."))
    assert report.is_complete
    assert report.family == "mmpretrain's ShuffleNet"
    assert report.preprocessing == IMAGENET_RGB
    assert report.others == ("head.fc.weight",)
    x = torch.randn(1, 3, 64, 64)
    for found, expected in zip(net(x), peer(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [BNInception, ShuffleNetV1])
def test_our_own_files_load_as_they_are(kind, randomize, tmp_path) -> None:
    source, net = randomize(kind()), kind()
    report = load_weights(net, saved(source, tmp_path / "own.pth", "backbone."))
    assert report.is_complete and not report.renamed
    for key, value in source.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key


def test_another_number_of_groups_is_told(randomize, tmp_path) -> None:
    path = saved(randomize(PlainShuffleNet()), tmp_path / "groups3.pth", "backbone.")
    with pytest.raises(ValueError, match="are not those of this ShuffleNetV1: of the tensors"):
        load_weights(ShuffleNetV1(groups=4), path)
