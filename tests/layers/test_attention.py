"""Another attention in SE's place, against units written out in plain torch."""

import copy
import itertools
import re
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.model.efficient_conv_bn_eval import turn_on_efficient_conv_bn_eval
from torch import Tensor, nn
from torch.nn import functional as F

from senet_mm import SEResNet, attach_se
from senet_mm.gates.drop import find_obstacles
from senet_mm.gates.statistics import find_blocks
from senet_mm.layers import AttentionConfig, SEBlock, SEConfig
from senet_mm.layers.fast_path import choose
from senet_mm.layers.se_config import PLACEMENTS
from senet_mm.necks.levels import level_gates
from tests.layers.test_residual import make

ECA = dict(type="TimmAttention", name="eca")
ESE = dict(type="TimmAttention", name="ese")


def eca(module: nn.Module, x: Tensor) -> Tensor:
    """A convolution over neighbouring channels' means (arXiv 1910.03151)."""
    (weight,) = module.parameters()
    size = weight.shape[-1]
    means = F.pad(x.mean((2, 3)), (size // 2, size // 2))
    gates = torch.stack(
        [means[:, i : i + size] @ weight[0, 0] for i in range(x.shape[1])],
        dim=1,
    )
    return x / (1 + torch.exp(-gates))[:, :, None, None]


def ese(module: nn.Module, x: Tensor) -> Tensor:
    """One layer and a hard sigmoid (arXiv 1911.06667)."""
    weight, bias = module.parameters()
    gates = x.mean((2, 3)) @ weight[:, :, 0, 0].T + bias
    return x * F.hardsigmoid(gates)[:, :, None, None]


BY_HAND = {"eca": eca, "ese": ese}


def unit_by_hand(unit: nn.Module, x: Tensor, name: str, placement: str) -> Tensor:
    def attention(value: Tensor, at: str) -> Tensor:
        return BY_HAND[name](unit.se, value) if at == placement else value

    out = attention(x, "pre")
    if hasattr(unit, "conv3"):
        out = F.relu(unit.norm1(unit.conv1(out)))
        out = attention(F.relu(unit.norm2(unit.conv2(out))), "conv2")
        out = unit.norm3(unit.conv3(out))
    else:
        out = F.relu(unit.norm1(unit.conv1(out)))
        out = attention(unit.norm2(unit.conv2(out)), "conv2")
    out = attention(out, "standard") + attention(unit.downsample(x), "identity")
    return attention(F.relu(out), "post")


@pytest.mark.parametrize(
    ("family", "placement", "name"),
    list(itertools.product(("basic", "bottleneck", "resnext"), PLACEMENTS, BY_HAND)),
)
def test_values_and_gradients(family: str, placement: str, name: str) -> None:
    unit = make(family, dict(type="TimmAttention", name=name, placement=placement))
    x = torch.randn(2, 16, 9, 7, dtype=torch.float64, requires_grad=True)
    expected = unit_by_hand(unit, x, name, placement)
    torch.testing.assert_close(unit(x), expected, rtol=1e-10, atol=1e-12)
    wanted = [x, *unit.parameters()]
    weight = torch.randn_like(expected)
    ours = torch.autograd.grad((unit(x) * weight).sum(), wanted)
    theirs = torch.autograd.grad((expected * weight).sum(), wanted)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


def test_branch_relu() -> None:
    unit = make("basic", ECA | dict(branch_relu=True))
    x = torch.randn(2, 16, 9, 7, dtype=torch.float64)
    branch = F.relu(unit.norm2(unit.conv2(F.relu(unit.norm1(unit.conv1(x))))))
    expected = F.relu(eca(unit.se, branch) + unit.downsample(x))
    torch.testing.assert_close(unit(x), expected, rtol=1e-10, atol=1e-12)


def test_stages_and_units() -> None:
    net = SEResNet(18, se_cfg=[None, ECA | dict(blocks=[1]), dict(reduction=4), ESE])
    found = {name: type(m).__name__ for name, m in net.named_modules() if name.endswith(".se")}
    assert found == {
        "layer2.1.se": "EcaModule",
        "layer3.0.se": "SEBlock",
        "layer3.1.se": "SEBlock",
        "layer4.0.se": "EffectiveSEModule",
        "layer4.1.se": "EffectiveSEModule",
    }
    assert [key for key in net.state_dict() if "layer2.1.se" in key] == ["layer2.1.se.conv.weight"]


@pytest.mark.parametrize("kind", [SEBlock, "SEBlock", "mmdet.SEBlock"])
def test_se_by_its_type_is_se(kind: Any) -> None:
    assert AttentionConfig.of(dict(type=kind, gate="tanh")) == SEConfig(gate="tanh")
    assert type(AttentionConfig.of({})) is SEConfig


def test_a_config_says_what_was_given() -> None:
    given = ECA | dict(gamma=3, placement="post", blocks=(0,))
    config = AttentionConfig.of(given)
    assert config.changed() == given
    assert AttentionConfig.of(config.changed()) == config
    assert config.hidden() == ECA | dict(gamma=3, placement="post", branch_relu=False)
    # behind a unit nothing is said of its place
    attached = AttentionConfig.of(dict(type="X", placement=3), owners=("block",))
    assert attached.options == dict(placement=3)


@pytest.mark.parametrize(
    "se_cfg", [ECA, ESE | dict(placement="pre"), dict(type="TimmAttention", name="gc")]
)
def test_copies_compiles_and_trains_in_half_precision(se_cfg: dict) -> None:
    unit = make("bottleneck", se_cfg).float()
    x = torch.randn(2, 16, 9, 7)
    plain = unit(x)
    assert torch.equal(copy.deepcopy(unit)(x), plain)
    torch.testing.assert_close(torch.compile(unit, fullgraph=True, backend="eager")(x), plain)
    twin = make("bottleneck", se_cfg, with_cp=True).float()
    torch.testing.assert_close(twin(x.clone().requires_grad_()), plain)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = unit(x)
    torch.testing.assert_close(half.float(), plain, rtol=0.05, atol=0.1)
    half.float().square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in unit.se.parameters())


def test_the_fast_path_is_of_se_alone() -> None:
    unit = make("bottleneck", ECA)
    h, shortcut = torch.randn(2, 16, 5, 5).double(), torch.randn(2, 64, 5, 5).double()
    assert choose(unit.tail(), h, shortcut).reason == "SE is a EcaModule: expected SEBlock"


def test_attached_and_in_necks() -> None:
    net = nn.Sequential(nn.Sequential(nn.Conv2d(3, 16, 3)), nn.ReLU())
    x = torch.randn(2, 3, 9, 9)
    convolved = net[0](x)
    block = attach_se(net, ["0"], ECA)["0"]
    torch.testing.assert_close(net(x), F.relu(eca(block, convolved)))
    gates = level_gates([8, None, 32], ESE, "input")
    assert [type(gate).__name__ for gate in gates] == [
        "EffectiveSEModule",
        "Identity",
        "EffectiveSEModule",
    ]
    neck = MODELS.build(
        dict(type="SEFPN", in_channels=[8, 16], out_channels=8, num_outs=2)
        | dict(positions=["output"], se_cfg=ECA)
    )
    assert sum(type(module).__name__ == "EcaModule" for module in neck.modules()) == 2


def test_attention_in_a_unit_cannot_be_dropped() -> None:
    net = nn.ModuleDict({"backbone": SEResNet(18, se_cfg=[ECA, None, None, None])})
    blocks = find_blocks(net)
    assert list(blocks) == ["SE_2_1", "SE_2_2"]
    assert find_obstacles(net, blocks)["SE_2_1"] == (
        "backbone.layer1.0.se is a EcaModule of timm, whose code gates"
    )


@pytest.mark.parametrize(
    ("se_cfg", "message"),
    [
        (
            dict(type="TimmAttentoin"),
            "is not registered in mmdet's MODELS; the nearest are TimmAtt",
        ),
        (dict(type=3), "se_cfg of layer1: type=3: expected the name of a registered module"),
        (dict(type="SEFPN"), "SEFPN does not take {} ("),
        (dict(type=nn.Softmax2d), "Softmax2d does not take {} ("),
        (dict(type="ContextBlock", ratoi=1), "ContextBlock does not take {'ratoi': 1} ("),
        (
            ECA | dict(reduction=8),
            "unexpected keyword argument 'reduction'; of SEBlock alone: reduction",
        ),
        (ECA | dict(fused=False), "unexpected keyword argument 'fused'; of SEBlock alone: fused"),
        (ECA | dict(placement="after"), "se_cfg of layer1: placement='after': expected one of"),
        (ECA | dict(blocks=[7]), "layer1 of SEResNet: blocks=(7,): expected each of 0 to 1"),
        (
            ECA | dict(placement="pre", branch_relu=True),
            "branch_relu=True with placement='pre': expected 'standard'",
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_line(se_cfg: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(message)) as caught:
        SEResNet(18, se_cfg=se_cfg)
    assert "\n" not in str(caught.value)
    assert "layer1" in str(caught.value)


@pytest.mark.parametrize("placement", PLACEMENTS)
@torch.no_grad()
def test_folded_batch_norm(placement: str, randomize) -> None:
    """mmengine's efficient_conv_bn_eval traces the network."""
    net = randomize(SEResNet(18, se_cfg=ECA | dict(placement=placement))).eval()
    x = torch.randn(1, 3, 64, 64)
    expected = net(x)[-1]
    turn_on_efficient_conv_bn_eval(nn.ModuleDict({"backbone": net}), "backbone")
    torch.testing.assert_close(net(x)[-1], expected, rtol=1e-3, atol=1e-3)


def test_random_weights_and_a_step() -> None:
    net = SEResNet(18, se_cfg=ESE, norm_eval=False)
    net.init_weights()
    net.train()
    net(torch.randn(2, 3, 64, 64))[-1].sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
