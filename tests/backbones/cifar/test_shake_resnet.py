"""Shake-Shake nets: counts, plain references, PyTorchCV, SE as the identity."""

import re

import pytest
import torch
from mmdet.registry import MODELS
from torch.nn import functional as F

from senet_mm.backbones import ShakeResNet, ShakeResNeXt

from .references import close, cost, load, shake_net, with_se

SHAKE_26 = dict(type="ShakeResNet", depth=26, base_channels=96)
SHAKE_29 = dict(type="ShakeResNeXt", depth=29, groups=4, base_width=64)


def test_counts_of_26_2x96d(shapes_alone) -> None:
    assert cost(SHAKE_26, 10, 100) == ([26_192_922, 26_227_572], "3776.89")
    assert cost(with_se(SHAKE_26, bias=False), 10) == ([26_386_458], "3778.46")
    assert cost(with_se(SHAKE_26), 10) == ([26_392_170], "3778.46")
    on_mixture = r"stage\d\.\d+\.shake"
    assert cost(with_se(SHAKE_26, on_mixture, bias=False), 10) == ([26_289_690], "3777.68")
    assert cost(with_se(SHAKE_26, on_mixture), 10) == ([26_292_546], "3777.68")


def test_counts_of_29_2x4x64d(shapes_alone) -> None:
    assert cost(SHAKE_29, 100) == ([34_529_700], "5387.36")
    assert cost(with_se(SHAKE_29, bias=False), 100) == ([35_561_892], "5391.14")
    assert cost(with_se(SHAKE_29), 100) == ([35_573_316], "5391.14")


SMALL = [
    (SHAKE_26 | dict(depth=14, base_channels=8), 2, (2, 1)),
    (SHAKE_29 | dict(depth=11, base_width=4), 1, (1, 2, 1)),
]


@pytest.mark.parametrize(("config", "units", "strides"), SMALL)
@torch.no_grad()
def test_computes_what_the_paper_says(randomize, config, units, strides) -> None:
    net = randomize(MODELS.build(config | dict(out_indices=(0, 1, 2)))).eval()
    x = torch.randn(2, 3, 33, 22)
    maps = net(x)
    assert [found.shape[1] for found in maps] == net.out_channels
    reference = shake_net(net.state_dict(), x, units=units, strides=strides)
    for found, expected in zip(maps, reference, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def name_here(key: str) -> str:
    """Our name of one of PyTorchCV's tensors."""
    key = key.replace("features.init_block.conv", "stem.0").replace("identity_branch", "shortcut")
    key = key.replace("features.init_block.bn", "stem.1").replace("shortcut.bn", "shortcut.norm")
    key = re.sub(r"(branch\d)\.conv(\d)\.bn", r"\1.norm\2", key)
    key = re.sub(r"(branch\d)\.conv(\d)\.conv", r"\1.conv\2", key)
    return re.sub(r"features\.(stage\d)\.unit(\d+)", lambda m: f"{m[1]}.{int(m[2]) - 1}", key)


@pytest.mark.slow
@torch.no_grad()
def test_computes_what_pytorchcv_does(randomize) -> None:
    """Unit by unit: it has a ReLU behind each sum, where the author has it in the branches."""
    pytest.importorskip("pytorchcv")
    from pytorchcv.models.shakeshakeresnet_cifar import get_shakeshakeresnet_cifar

    peer = get_shakeshakeresnet_cifar(
        num_classes=10, blocks=26, bottleneck=False, first_stage_channels=96
    )
    net = MODELS.build(SHAKE_26).eval()
    load(net, randomize(peer).eval(), name_here)
    x = torch.randn(1, 3, 32, 32)
    theirs = peer.features.init_block(x)
    assert close(F.relu(net.stem(x)), theirs)
    units = [unit for stage in (net.stage1, net.stage2, net.stage3) for unit in stage]
    others = [unit for stage in list(peer.features)[1:4] for unit in stage]
    for unit, other in zip(units, others, strict=True):
        found, theirs = F.relu(unit(theirs)), other(theirs)
        assert close(found, theirs)


@pytest.mark.parametrize("config", [config for config, *_ in SMALL])
@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_se_starts_as_the_plain_net(randomize, config, training) -> None:
    plain = randomize(MODELS.build(config))
    twin = MODELS.build(with_se(config, reduction=8, identity_init=True))
    twin.init_weights()
    missing, unexpected = twin.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(re.search(r"\.branch\d\.se\.", key) for key in missing)
    x = torch.randn(2, 3, 16, 16)
    outputs = []
    for net in (plain, twin):
        torch.manual_seed(0)
        outputs.append(net.train(training)(x)[0])
    assert torch.equal(*outputs)


def test_which_net_is_even_backward() -> None:
    assert ShakeResNet(8, 4).stage1[0].shake.shakes_back
    assert not ShakeResNeXt(11, base_width=4).stage1[0].shake.shakes_back


def test_frozen_stages_do_not_shake() -> None:
    net = ShakeResNet(8, 4, frozen_stages=2).train()
    assert [getattr(net, f"stage{n}")[0].shake.training for n in (1, 2, 3)] == [False, False, True]


def test_bad_options() -> None:
    with pytest.raises(ValueError, match=r"depth=27 of ShakeResNet: expected 6n \+ 2, .* as 8"):
        ShakeResNet(27)
    with pytest.raises(ValueError, match=r"depth=26 of ShakeResNeXt: expected 9n \+ 2, .* as 11"):
        ShakeResNeXt(26)
    for value in (97, 0, 96.0):
        message = f"base_channels={value} of ShakeResNet: expected a positive even integer"
        with pytest.raises(ValueError, match=message):
            ShakeResNet(base_channels=value)
    for name in ("groups", "base_width"):
        with pytest.raises(ValueError, match=f"{name}=0 of ShakeResNeXt: expected a positive"):
            ShakeResNeXt(**{name: 0})
    with pytest.raises(ValueError, match="backward='keep' of Shake-Shake: expected"):
        ShakeResNet(backward="keep")
