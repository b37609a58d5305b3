"""Inception-ResNet-v2 with padding everywhere: maps of a detector's sizes, cells in place."""

import pytest
import torch
from torch import nn

from senet_mm.backbones import TimmBackbone
from senet_mm.backbones.alignment import pad_valid_layers

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("align", "detectors", "classifiers"),
    [
        (
            True,
            [(200, 334), (100, 167), (50, 84), (25, 42)],
            [(75, 75), (38, 38), (19, 19), (10, 10)],
        ),
        # those of the net itself
        (
            False,
            [(196, 329), (97, 164), (48, 81), (23, 40)],
            [(71, 71), (35, 35), (17, 17), (8, 8)],
        ),
    ],
)
def test_maps_have_a_detectors_sizes(align: bool, detectors: list, classifiers: list) -> None:
    with torch.device("meta"):
        backbone = TimmBackbone("inception_resnet_v2", align=align)
        for (height, width), sizes in [((800, 1333), detectors), ((299, 299), classifiers)]:
            maps = backbone(torch.zeros(1, 3, height, width))
            assert [tuple(map_.shape[-2:]) for map_ in maps] == sizes


def centre(backbone: nn.Module, level: int, cell: int, side: int) -> float:
    """The middle row of the pixels that a cell depends on."""
    x = torch.randn(2, 3, side, side, requires_grad=True)
    map_ = backbone(x)[level]
    (gradient,) = torch.autograd.grad(map_[:, :, cell, map_.shape[-1] // 2].sum(), x)
    rows = gradient.abs().sum((0, 1, 3)).nonzero().flatten()
    return float(rows.min() + rows.max()) / 2


@pytest.mark.parametrize(("level", "offset"), [(0, 3.0), (1, 9.0), (2, 13.0)])
def test_cells_are_centred_on_multiples_of_the_stride(level: int, offset: float) -> None:
    """By the pixels that a cell in the middle depends on; where it sees no border, exactly."""
    stride = 2 ** (level + 1)
    for align in (True, False):
        torch.manual_seed(0)
        backbone = TimmBackbone("inception_resnet_v2", align=align, out_indices=[0, 1, 2]).eval()
        if level == 2:  # ten blocks see far: what lies in front of them places the cells
            backbone.timm_model.repeat = nn.Identity()
        side = 161
        cell = side // 2 // stride
        expected = stride * cell + (0 if align else offset)
        assert centre(backbone, level, cell, side) == expected


def test_what_is_padded() -> None:
    with torch.device("meta"):
        net = TimmBackbone("inception_resnet_v2").timm_model
        shapes = {key: value.shape for key, value in net.state_dict().items()}
        before = {n: m.padding for n, m in net.named_modules() if hasattr(m, "padding")}
        names = pad_valid_layers(net, "net")
    stem = ["conv2d_1a.conv", "conv2d_2a.conv", "maxpool_3a", "conv2d_4a.conv", "maxpool_5a"]
    assert names[:5] == stem
    assert len(names) == 5 + 3 + 4  # and the reductions 6a and 7a
    for name, padding in before.items():
        assert net.get_submodule(name).padding == ((1, 1) if name in names else padding), name
    assert {key: value.shape for key, value in net.state_dict().items()} == shapes
