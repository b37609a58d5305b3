"""Gates of SE that other libraries wrote, and of SE attached behind units."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import timm
import torch
from mmcv.cnn import Conv2d
from mmdet.models.backbones import ResNet
from mmdet.models.layers import SELayer
from timm.layers import CecaModule, EcaModule, EffectiveSEModule, SEModule
from timm.layers.cbam import CbamModule, LightCbamModule
from timm.layers.gather_excite import GatherExcite
from timm.models._efficientnet_blocks import SqueezeExcite
from timm.models.senet import SEModule as LegacySEModule
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_small
from torchvision.ops import SqueezeExcitation

from senet_mm import attach_se
from senet_mm.gates.drop import find_obstacles, select_blocks
from senet_mm.gates.foreign import gate_of
from senet_mm.gates.statistics import GateRecorder, GateStatistics, find_blocks
from senet_mm.gates.summary import saturation_table, suggest, suggestion, summarize
from senet_mm.layers import SEBlock

Gate = Callable[[Tensor], Tensor]


def by_hand(x: Tensor, *convs: nn.Module, hidden: Gate, gate: Gate) -> Tensor:
    """The gates of a map (N, C, H, W), from the weights of one or two 1x1 convolutions."""
    z = x.mean((2, 3))
    for index, conv in enumerate(convs):
        z = z @ conv.weight[:, :, 0, 0].T + (0 if conv.bias is None else conv.bias)
        z = (gate if index == len(convs) - 1 else hidden)(z)
    return z


CASES = {
    "timm": (lambda: SEModule(16, rd_ratio=0.25), ("fc1", "fc2"), F.relu, torch.sigmoid),
    "timm hard": (
        lambda: SEModule(16, gate_layer="hard_sigmoid"),
        ("fc1", "fc2"),
        F.relu,
        lambda z: F.relu6(z + 3) / 6,
    ),
    "timm effective": (
        lambda: EffectiveSEModule(16),
        ("fc",),
        F.relu,
        lambda z: F.relu6(z + 3) / 6,
    ),
    "timm efficientnet": (
        lambda: SqueezeExcite(16, act_layer=nn.SiLU),
        ("conv_reduce", "conv_expand"),
        F.silu,
        torch.sigmoid,
    ),
    "timm legacy": (lambda: LegacySEModule(16, 4), ("fc1", "fc2"), F.relu, torch.sigmoid),
    "torchvision": (lambda: SqueezeExcitation(16, 4), ("fc1", "fc2"), F.relu, torch.sigmoid),
    "mmdet": (
        lambda: SELayer(16, ratio=4),
        ("conv1.conv", "conv2.conv"),
        F.relu,
        torch.sigmoid,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_gates_are_those_of_the_equations(case: str) -> None:
    torch.manual_seed(0)
    build, convs, hidden, gate = CASES[case]
    block = build()
    x = torch.randn(3, 16, 5, 7)
    net = nn.Sequential(block)
    plain = net(x)
    with GateRecorder(net) as recorder, torch.no_grad():
        out = net(x)
    assert torch.equal(out, plain)
    expected = by_hand(x, *map(block.get_submodule, convs), hidden=hidden, gate=gate)
    (gates,) = recorder.take().values()
    torch.testing.assert_close(gates, expected.double().detach())
    torch.testing.assert_close(out, x * expected[:, :, None, None])
    assert not any(module._forward_hooks for module in net.modules())


@pytest.mark.parametrize("kind", [EcaModule, CecaModule])
def test_gates_of_a_convolution_over_channels(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    block, x = kind(16), torch.randn(3, 16, 5, 7)
    with GateRecorder(nn.Sequential(block)) as recorder, torch.no_grad():
        out = block(x)
    (gates,) = recorder.take().values()
    assert gates.shape == (3, 16)
    torch.testing.assert_close(x * gates.float()[:, :, None, None], out)
    mode = "circular" if kind is CecaModule else "constant"
    means = F.pad(x.mean((2, 3))[:, None], (1, 1), mode)[:, 0]
    logits = means.unfold(1, 3, 1) @ block.conv.weight[0, 0].detach()
    torch.testing.assert_close(gates, torch.sigmoid(logits).double())


def test_gates_of_gather_excite_without_parameters() -> None:
    x = torch.randn(3, 16, 5, 7)
    with GateRecorder(nn.Sequential(block := GatherExcite(16, use_mlp=False))) as recorder:
        block(x)
    (gates,) = recorder.take().values()
    torch.testing.assert_close(gates, torch.sigmoid(x.mean((2, 3))).double())


def test_gates_of_the_channels_in_cbam() -> None:
    torch.manual_seed(0)
    net, x = nn.Sequential(CbamModule(16)), torch.randn(3, 16, 5, 7)
    with GateRecorder(net) as recorder, torch.no_grad():
        net(x)
        expected = net[0].channel(x)
    gates = recorder.take()
    assert list(gates) == ["0.channel"]
    torch.testing.assert_close(x * gates["0.channel"].float()[:, :, None, None], expected)
    assert gate_of(LightCbamModule(16).channel) is None  # has a gate that it does not call


def test_classes_of_other_names_are_no_blocks() -> None:
    class SELayer(nn.Module):  # noqa: F811
        pass

    assert gate_of(SELayer()) is None
    assert gate_of(Conv2d(3, 3, 1)) is None
    assert gate_of(SEBlock(16)) is None


def test_names() -> None:
    with torch.device("meta"):
        names = list(find_blocks(nn.ModuleDict({"backbone": timm.create_model("seresnet18")})))
        assert names == [f"SE_{stage}_{unit}" for stage in (2, 3, 4, 5) for unit in (1, 2)]
        mobile = find_blocks(nn.ModuleDict({"backbone": mobilenet_v3_small()}))
        assert list(mobile)[:2] == ["features.1.block.1", "features.4.block.2"]
        assert mobile["features.4.block.2"].path == "backbone.features.4.block.2"
        net = ResNet(18)
        attach_se(net, r"layer[12]\.0\.bn2|bn1")
        blocks = find_blocks(nn.ModuleDict({"backbone": net}))
        assert list(blocks) == ["bn1", "SE_2_1", "SE_3_1"]
        assert blocks["SE_2_1"].path == "backbone.layer1.0.bn2.se"
        attach_se(net, r"layer1\.0\.bn1")
        assert list(find_blocks(net)) == ["bn1", "layer1.0.bn1.se", "layer1.0.bn2.se", "SE_3_1"]


def test_attached_blocks_are_summed_up_and_cannot_be_dropped() -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), SqueezeExcitation(16, 4))
    net = nn.ModuleDict({"backbone": body})
    (block,) = attach_se(body, ["1"]).values()
    statistics = GateStatistics(["a", "b"])
    images = torch.rand(6, 3, 9, 9)
    with GateRecorder(net) as recorder, torch.no_grad():
        body(images)
    gates = recorder.take()
    with torch.no_grad():
        expected = block.excite(torch.relu(body[0](images)).mean((2, 3), keepdim=True))
    torch.testing.assert_close(gates["1"], expected[:, :, 0, 0].double())
    statistics.add(gates, [{0}, {1}, {0}, {1}, {0, 1}, set()])
    blocks = find_blocks(net)
    obstacles = find_obstacles(net, blocks)
    assert obstacles == {
        "1": "backbone.1.se is attached behind a unit: leave that out of units instead",
        "2": "backbone.2 is a SqueezeExcitation of torchvision, whose code gates",
    }
    rows = summarize(blocks, statistics, obstacles)
    assert [row.channels for row in rows] == [16, 16]
    assert [row.parameters for row in rows] == [2 * 16 + 1 + 16, 2 * 16 * 4 + 4 + 16]
    assert "\n| 1     | 16       | 49     |" in saturation_table(rows)
    assert "cannot: backbone.1.se is attached" in suggestion(rows, 1.0, 100)
    assert not suggest(rows, 1.0)
    with pytest.raises(ValueError, match="cannot be dropped: 1: backbone.1.se is attached"):
        select_blocks(["1"], blocks, obstacles)
