"""mmdet's manners of the networks for CIFAR, He's initialization, and a classifier's weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from senet_mm.backbones import PreActResNet, ShakeResNet, ShakeResNeXt, WideResNet

from .references import with_se

ALL = (0, 1, 2)
NETS = {
    "preact": partial(PreActResNet, 8, out_indices=ALL),
    "bottleneck": partial(PreActResNet, 11, bottleneck=True, out_indices=ALL),
    "wide": partial(WideResNet, 10, 1, out_indices=ALL),
    "shake": partial(ShakeResNet, 8, 4, out_indices=ALL),
    "shake_next": partial(ShakeResNeXt, 11, groups=2, base_width=2, out_indices=ALL),
}
nets = pytest.mark.parametrize("make", NETS.values(), ids=NETS)
PARTS = [["stem"], ["stage1"], ["stage2"], ["stage3", "final"]]


@nets
def test_freezing(make: Callable[..., nn.Module]) -> None:
    for frozen in range(-1, len(PARTS)):
        net = make(frozen_stages=frozen).train()
        still = tuple(f"{name}." for part in PARTS[: frozen + 1] for name in part)
        for key, parameter in net.named_parameters():
            assert parameter.requires_grad != key.startswith(still), (frozen, key)
        for name, module in net.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.training != name.startswith(still), (frozen, name)


@nets
def test_checkpointing(randomize, make) -> None:
    """Also of random numbers: those of the first forward pass count."""
    gradients = []
    for with_cp in (False, True):
        net = randomize(make(with_cp=with_cp, norm_eval=True)).train()
        torch.manual_seed(0)
        sum(out.square().mean() for out in net(torch.randn(2, 3, 16, 12))).backward()
        gradients.append([parameter.grad for parameter in net.parameters()])
    for plain, saving in zip(*gradients, strict=True):
        assert torch.equal(plain, saving)


@nets
def test_strides(make) -> None:
    maps = make().eval()(torch.randn(1, 3, 32, 30))
    assert [tuple(x.shape[2:]) for x in maps] == [(32, 30), (16, 15), (8, 8)]
    assert maps[-1].min() >= 0 > maps[0].min()  # the last one is activated


def test_bad_options() -> None:
    for value in ((3,), [-1], (), 2):
        message = r"out_indices=.* of PreActResNet: expected some of 0 to 2, .* strides 1 to 4"
        with pytest.raises(ValueError, match=message):
            PreActResNet(8, out_indices=value)
    with pytest.raises(ValueError, match=r"frozen_stages=4 of PreActResNet: .* 0 .* to 3"):
        PreActResNet(8, frozen_stages=4)


@nets
def test_starts_by_he(make) -> None:
    torch.manual_seed(0)
    net = make()
    net.init_weights()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.eq(1).all() and module.bias.eq(0).all()
        elif isinstance(module, nn.Conv2d) and module.weight.numel() > 500:
            fan_out = module.out_channels * module.kernel_size[0] ** 2
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.15)


def test_se_is_not_started_by_he() -> None:
    config = dict(type="PreActResNet", depth=8)
    net = MODELS.build(with_se(config))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    net.init_weights()
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]) or ".se." not in key


def test_takes_a_classifiers_weights(randomize, tmp_path: Path) -> None:
    config = dict(type="PreActResNet", depth=8)
    trained = randomize(MODELS.build(config))
    weights = {f"backbone.{key}": value for key, value in trained.state_dict().items()}
    weights["head.fc.weight"] = torch.zeros(10, 64)
    file = tmp_path / "classifier.pth"
    torch.save(dict(state_dict=weights), file)
    init_cfg = dict(type="Pretrained", checkpoint=str(file))
    net = MODELS.build(config | dict(init_cfg=init_cfg))
    net.init_weights()
    twin = MODELS.build(with_se(config | dict(init_cfg=init_cfg), identity_init=True))
    twin.init_weights()
    x = torch.randn(1, 3, 32, 32)
    for loaded in (net, twin):
        assert torch.equal(loaded.eval()(x)[0], trained.eval()(x)[0])
    with pytest.raises(ValueError, match="SE"):
        MODELS.build(with_se(config | dict(init_cfg=init_cfg))).init_weights()
