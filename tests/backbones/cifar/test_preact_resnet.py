"""Pre-activation and wide ResNets: counts, plain references, PyTorchCV, SE as the identity."""

import re

import pytest
import torch
from mmdet.registry import MODELS

from senet_mm.backbones import PreActResNet, WideResNet

from .references import close, cost, load, preact_net, with_se

RESNET_110 = dict(type="PreActResNet", depth=110, shortcut="zero")
RESNET_164 = dict(type="PreActResNet", depth=164, bottleneck=True)
WRN_16_8 = dict(type="WideResNet", depth=16, widen_factor=8)


@pytest.mark.parametrize(
    ("plain", "parameters", "multiply_adds"),
    [
        (RESNET_110, (1_727_962, 1_733_812, 1_740_058, 1_742_200), ("252.89", "253.42")),
        (
            RESNET_110 | dict(shortcut="conv"),
            (1_730_522, 1_736_372, 1_742_618, 1_744_760),
            ("253.15", "253.68"),
        ),
        (RESNET_164, (1_703_258, 1_726_388, 1_896_794, 1_905_362), ("244.50", "246.76")),
        (WRN_16_8, (10_961_370, 11_007_540, 11_047_386, 11_049_290), ("1548.15", "1548.69")),
    ],
)
def test_counts(shapes_alone, plain, parameters, multiply_adds) -> None:
    for_10, for_100, without_biases, with_biases = parameters
    assert cost(plain, 10, 100) == ([for_10, for_100], multiply_adds[0])
    assert cost(with_se(plain, bias=False), 10) == ([without_biases], multiply_adds[1])
    assert cost(with_se(plain), 10) == ([with_biases], multiply_adds[1])


@pytest.mark.parametrize(
    ("config", "units", "strides"),
    [
        (RESNET_110 | dict(depth=14), 2, (2, 1)),
        (RESNET_110 | dict(depth=14, shortcut="conv"), 2, (2, 1)),
        (RESNET_164 | dict(depth=20), 2, (2, 1, 1)),
        (RESNET_164 | dict(depth=20, shortcut="zero"), 2, (2, 1, 1)),
        (WRN_16_8 | dict(widen_factor=2), 2, (2, 1)),
    ],
)
@torch.no_grad()
def test_computes_what_the_papers_say(randomize, config, units, strides) -> None:
    net = randomize(MODELS.build(config | dict(out_indices=(0, 1, 2)))).eval()
    x = torch.randn(2, 3, 33, 22)
    maps = net(x)
    assert [found.shape[1] for found in maps] == net.out_channels
    reference = preact_net(net.state_dict(), x, units=units, strides=strides)
    for found, expected in zip(maps, reference, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def name_here(key: str) -> str:
    """Our name of one of PyTorchCV's tensors."""
    key = key.replace("features.init_block.", "stem.").replace("identity_conv", "shortcut")
    key = key.replace("features.post_activ.bn.", "final.0.").replace("body.conv1.bn", "norm1")
    key = re.sub(r"body\.conv(\d)\.bn", r"branch.norm\1", key)
    key = re.sub(r"body\.conv(\d)\.conv", r"branch.conv\1", key)
    return re.sub(r"features\.(stage\d)\.unit(\d+)", lambda m: f"{m[1]}.{int(m[2]) - 1}", key)


@pytest.mark.slow
@pytest.mark.parametrize("config", [RESNET_110 | dict(shortcut="conv"), RESNET_164, WRN_16_8])
@torch.no_grad()
def test_computes_what_pytorchcv_does(randomize, config) -> None:
    pytest.importorskip("pytorchcv")
    from pytorchcv.models.preresnet_cifar import preresnet110_cifar10, preresnet164bn_cifar10
    from pytorchcv.models.wrn_cifar import get_wrn_cifar

    net = MODELS.build(config).eval()
    if config["type"] == "WideResNet":
        peer = get_wrn_cifar(num_classes=10, blocks=16, width_factor=8)
    elif config["depth"] == 110:
        peer = preresnet110_cifar10()
        # its first unit, alone, adds the bare convolution's map
        net.stage1[0].activates_shortcut = False
    else:
        peer = preresnet164bn_cifar10()
        for stage in (peer.features.stage2, peer.features.stage3):
            # the authors' code has the stride in the first 1x1, as has its `conv1_stride=True`
            stage.unit1.body.conv1.conv.stride = 2, 2
            stage.unit1.body.conv2.conv.stride = 1, 1
    load(net, randomize(peer).eval(), name_here)
    x = torch.randn(2, 3, 32, 32)
    assert close(net(x)[0], peer.features[:-1](x))


@pytest.mark.parametrize(
    "config",
    [RESNET_110 | dict(depth=8), RESNET_164 | dict(depth=11), WRN_16_8 | dict(widen_factor=1)],
)
@pytest.mark.parametrize("training", [False, True])
@torch.no_grad()
def test_se_starts_as_the_plain_net(randomize, config, training) -> None:
    plain = randomize(MODELS.build(config))
    twin = MODELS.build(with_se(config, identity_init=True))
    twin.init_weights()
    missing, unexpected = twin.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(".branch.se." in key for key in missing)
    x = torch.randn(2, 3, 32, 32)
    assert torch.equal(plain.train(training)(x)[0], twin.train(training)(x)[0])


def test_bad_options() -> None:
    for depth in (100, 2, -4, "110", 110.0):
        message = rf"depth={depth!r} of PreActResNet: expected 6n \+ 2, .* such as 8"
        with pytest.raises(ValueError, match=message):
            PreActResNet(depth)
    with pytest.raises(ValueError, match=r"depth=112 of PreActResNet: expected 9n \+ 2, .* 11"):
        PreActResNet(112, bottleneck=True)
    with pytest.raises(ValueError, match=r"shortcut='A' of PreActResNet: expected 'conv' or"):
        PreActResNet(8, shortcut="A")
    with pytest.raises(ValueError, match=r"depth=17 of WideResNet: expected 6n \+ 4, .* 10"):
        WideResNet(17)
    with pytest.raises(ValueError, match=r"widen_factor=0 of WideResNet: expected a positive"):
        WideResNet(widen_factor=0)
