"""Static int8 quantization of the backbones by torch.fx: SE costs it no more than the plain net."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.backbones import ResNet
from torch import Tensor, nn

from senet_mm.backbones import SEResNet

quantize_fx = pytest.importorskip("torch.ao.quantization.quantize_fx")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "x86" not in torch.backends.quantized.supported_engines, reason="quantizes for x86"
    ),
]
DEPTH = 18


def quantized(net: nn.Module, images: list[Tensor]) -> nn.Module:
    mapping = torch.ao.quantization.get_default_qconfig_mapping("x86")
    prepared = quantize_fx.prepare_fx(copy.deepcopy(net), mapping, (images[0],))
    for image in images:
        prepared(image)
    return quantize_fx.convert_fx(prepared)


def error(net: nn.Module) -> float:
    """The relative error of the last map."""
    images = list(torch.randn(4, 1, 3, 96, 96, generator=torch.Generator().manual_seed(0)))
    small = quantized(net, images)
    convolutions = [name for name, one in net.named_modules() if type(one) is nn.Conv2d]
    assert all(small.get_submodule(n).weight().dtype is torch.qint8 for n in convolutions)
    exact = net(images[0])[-1]
    return float((small(images[0])[-1] - exact).norm() / exact.norm())


@torch.no_grad()
def test_int8_error_is_that_of_the_plain_net(randomize) -> None:
    nets = [randomize(kind(DEPTH)) for kind in (SEResNet, ResNet)]
    for net in nets:
        net.train(False)  # mmdet's returns None
    ours, plain = map(error, nets)
    assert ours < 2 * plain < 0.2
