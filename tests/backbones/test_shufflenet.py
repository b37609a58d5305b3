"""ShuffleNet against a plain reference and two packages."""

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from senet_mm.backbones import ShuffleNetV1
from senet_mm.weights.load.match import match_other
from senet_mm.weights.read.checkpoint import Checkpoint

from .references import PlainShuffleNet


def with_weights_of(net: nn.Module, groups: int = 3) -> ShuffleNetV1:
    backbone = ShuffleNetV1(groups=groups).eval()
    backbone.load_state_dict(match_other(backbone, Checkpoint("peer.pth", net.state_dict()))[0])
    return backbone


@torch.no_grad()
def test_computes_what_the_table_of_layers_says(randomize) -> None:
    reference = randomize(PlainShuffleNet()).eval()
    x = torch.randn(2, 3, 64, 75)
    for found, expected in zip(with_weights_of(reference)(x), reference(x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("groups", [1, 2, 3, 4, 8])
@torch.no_grad()
def test_computes_what_mmpretrain_does(randomize, groups) -> None:
    pytest.importorskip("mmpretrain")
    from mmpretrain.models.backbones import ShuffleNetV1 as Peer

    peer = randomize(Peer(groups=groups, out_indices=(0, 1, 2)))
    peer.eval()
    x = torch.randn(1, 3, 96, 64)
    for found, expected in zip(with_weights_of(peer, groups)(x)[1:], peer(x), strict=True):
        assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


@torch.no_grad()
def test_computes_what_pytorchcv_does(randomize) -> None:
    """Unit by unit: its concatenation has the branch first, which no grouped weights undo."""
    model_provider = pytest.importorskip("pytorchcv.model_provider")
    peer = randomize(model_provider.get_model("shufflenet_g3_w1")).eval()
    ours = ShuffleNetV1().eval()
    theirs = [unit for stage in list(peer.features)[1:4] for unit in stage]
    units = [unit for layer in ours.layers for unit in layer]
    names = {"compress_{}1": 0, "dw_{}2": 1, "expand_{}3": 2}
    x = peer.features.init_block(torch.randn(1, 3, 96, 64))
    for unit, other in zip(units, theirs, strict=True):
        layers = [unit.g_conv_1x1_compress, unit.depthwise, unit.g_conv_1x1_expand]
        for name, index in names.items():
            layers[index].conv.load_state_dict(getattr(other, name.format("conv")).state_dict())
            layers[index].bn.load_state_dict(getattr(other, name.format("bn")).state_dict())
        expected = other(x)
        found = unit(x)
        if not unit.adds:
            found = found.roll(-x.shape[1], dims=1)
        assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
        x = expected


def test_counts(shapes_alone) -> None:
    backbone = ShuffleNetV1()
    assert sum(parameter.numel() for parameter in backbone.parameters()) == 904_728
    maps = backbone(torch.zeros(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (24, 56, 56), (240, 28, 28), (480, 14, 14), (960, 7, 7),
    ]  # fmt: skip
    assert backbone.out_channels == [24, 240, 480, 960]


def test_an_unknown_number_of_groups() -> None:
    with pytest.raises(ValueError, match=r"groups=5 of ShuffleNetV1: expected one of \[1, 2, 3"):
        ShuffleNetV1(groups=5)


def test_is_registered() -> None:
    backbone = MODELS.build(dict(type="ShuffleNetV1", out_indices=(1, 3)))
    assert backbone.out_channels == [240, 960]
