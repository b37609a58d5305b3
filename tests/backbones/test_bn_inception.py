"""BN-Inception against a plain reference and pretrainedmodels."""

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from senet_mm.backbones import BNInception
from senet_mm.backbones.bn_inception import CeilMaxPool
from senet_mm.weights.load.match import match_other
from senet_mm.weights.read.checkpoint import Checkpoint

from .references import PlainBNInception


def with_weights_of(net: nn.Module) -> BNInception:
    backbone = BNInception().eval()
    backbone.load_state_dict(match_other(backbone, Checkpoint("peer.pth", net.state_dict()))[0])
    return backbone


@pytest.mark.parametrize("size", [(64, 96), (100, 68)])  # of 100 and 68, C3 has 12 and 8
@torch.no_grad()
def test_computes_what_the_table_of_layers_says(randomize, size) -> None:
    reference = randomize(PlainBNInception()).eval()
    x = torch.randn(2, 3, *size)
    for found, expected in zip(with_weights_of(reference)(x), reference(x), strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_computes_what_pretrainedmodels_does(randomize) -> None:
    peers = pytest.importorskip("pretrainedmodels")
    peer = randomize(peers.bninception(pretrained=None)).eval()
    x = torch.randn(1, 3, 128, 96)
    expected = peer.features(x)
    error = (with_weights_of(peer)(x)[-1] - expected).abs().max()
    assert error < 1e-5 * expected.abs().max()


def test_counts(shapes_alone) -> None:
    backbone = BNInception().eval()
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 10_260_224
    maps = backbone(torch.zeros(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (192, 56, 56), (320, 28, 28), (608, 14, 14), (1024, 7, 7),
    ]  # fmt: skip
    assert backbone.out_channels == [192, 320, 608, 1024]


@pytest.mark.parametrize("size", [(200, 208), (216, 299), (33, 31), (1333, 800)])
def test_any_picture_size(shapes_alone, size) -> None:
    """At these the concatenation of modules 3c and 4e fails in the Caffe net and its ports."""
    maps = BNInception().eval()(torch.zeros(1, 3, *size))
    for before, after in ((1, 2), (2, 3)):
        halved = [-(-side // 2) for side in maps[before].shape[2:]]
        assert list(maps[after].shape[2:]) == halved


def test_the_pooling_of_odd_maps() -> None:
    even, odd = torch.randn(1, 2, 8, 6) - 9, torch.randn(1, 2, 7, 5) - 9
    pool = CeilMaxPool()
    assert torch.equal(pool(even), nn.MaxPool2d(3, 2, ceil_mode=True)(even))
    pooled = pool(odd)
    assert pooled.shape[2:] == (4, 3)
    assert torch.equal(pooled[:, :, :3, :2], nn.MaxPool2d(3, 2)(odd))
    assert torch.equal(pooled[:, :, 3, 2], odd[:, :, 6, 4])


def test_is_registered() -> None:
    backbone = MODELS.build(dict(type="BNInception", out_indices=(1, 3), norm_cfg=dict(type="BN")))
    assert backbone.out_channels == [320, 1024]
