"""Weights of nets with another attention in SE's place, and plain weights for such nets."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.models import ResNet
from mmdet.registry import MODELS
from timm.models.resnet import BasicBlock
from timm.models.resnet import ResNet as TimmResNet
from torch import Tensor, nn

from senet_mm import SEBackbone, SEResNet
from senet_mm.weights import load_weights
from senet_mm.weights.load.report import LoadReport
from senet_mm.weights.read.timm_zoo import check_resnet_family

pytestmark = pytest.mark.slow

ECA = dict(type="TimmAttention", name="eca")
ESE = dict(type="TimmAttention", name="ese")


@MODELS.register_module()
class OwnAttention(nn.Module):
    """Somebody's SE, with layers that are called as ours and are no convolutions."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(in_channels, 4), nn.Linear(4, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(self.fc1(x.mean((2, 3))).relu()).sigmoid()[:, :, None, None]


@pytest.fixture
def load(tmp_path: Path):
    def load_into(backbone: nn.Module, weights: dict[str, Tensor], config: str = "") -> LoadReport:
        path = tmp_path / "weights.pth"
        torch.save(dict(state_dict=weights, meta=dict(cfg=config)) if config else weights, path)
        return load_weights(backbone, str(path))

    return load_into


def config_of(se_cfg: dict[str, Any]) -> str:
    return f"model = dict(backbone=dict(type='SEResNet', depth=18, se_cfg={se_cfg!r}))"


@pytest.mark.parametrize("name", ["eca", "ese"])
@torch.no_grad()
def test_timms_net_computes_the_same_here(load, randomize, name: str) -> None:
    theirs = randomize(TimmResNet(BasicBlock, [2, 2, 2, 2], block_args=dict(attn_layer=name)))
    ours = SEResNet(18, se_cfg=dict(type="TimmAttention", name=name)).eval()
    report = load(ours, theirs.eval().state_dict())
    assert report.is_complete and not report.new
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(ours(x)[-1], theirs.forward_features(x))


def test_plain_weights_leave_it_as_initialized(load) -> None:
    weights = ResNet(18).state_dict()
    net = SEResNet(18, se_cfg=[None, ESE, ECA, None])
    before = {key: value.clone() for key, value in net.state_dict().items()}
    report = load(net, weights)
    assert report.new == tuple(key for key in before if ".se." in key)
    assert "6 start as initialized (layer2.0.se.fc.weight, " in report.line()
    for key, value in net.state_dict().items():
        assert torch.equal(value, weights.get(key, before[key])), key
    for plain in (dict(type="ResNet", depth=18), dict(type="RegNet", arch="regnetx_400mf")):
        plain["out_indices"] = (0, 1, 2, 3)
        weights = MODELS.build(plain).state_dict()
        net = SEBackbone(plain, units=r"layer\d\.0", se_cfg=ECA)
        assert load(net, weights).new == tuple(f"layer{n}.0.se.conv.weight" for n in (1, 2, 3, 4))


def test_somebodys_layers_are_not_taken_for_ours(load) -> None:
    se_cfg = dict(type="OwnAttention")
    net, weights = SEResNet(18, se_cfg=se_cfg), SEResNet(18, se_cfg=se_cfg).state_dict()
    assert load(net, weights, config_of(se_cfg)).is_complete
    assert torch.equal(net.layer1[0].se.fc1.weight, weights["layer1.0.se.fc1.weight"])
    options = dict(backbone=dict(type="ResNet", depth=18), units=r"layer\d\.\d", se_cfg=se_cfg)
    attached = SEBackbone(**options)
    config = f"model = dict(backbone={dict(type='SEBackbone', **options)!r})"
    assert load(attached, attached.state_dict(), config).is_complete


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (ECA | dict(placement="post"), None, "placement='standard' (the backbone has 'post')"),
        (ECA, ECA | dict(placement="pre"), "placement='pre' (the backbone has 'standard')"),
        (ECA, ECA | dict(gate_layer="tanh"), "gate_layer='tanh' (the backbone has None) in layer1"),
        (ECA, dict(type="TimmAttention", name="ceca"), "name='ceca' (the backbone has 'eca')"),
        (ECA, dict(type="mmdet.Other", name="eca"), "type='Other' (the backbone has 'TimmAtt"),
    ],
)
def test_another_place_or_option_is_named(load, ours, theirs, message: str) -> None:
    weights = SEResNet(18, se_cfg=ECA).state_dict()
    with pytest.raises(ValueError, match="they need se_cfg ") as caught:
        load(SEResNet(18, se_cfg=ours), weights, theirs and config_of(theirs))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    load(SEResNet(18, se_cfg=ECA), weights, config_of(ECA | dict(blocks=[0, 1])))


def test_other_weights_are_refused(load) -> None:
    net, plain = SEResNet(18, se_cfg=ESE), ResNet(18)
    half = net.state_dict()
    del half["layer3.1.se.fc.bias"]
    with pytest.raises(ValueError, match=r"1 missing \(first: layer3.1.se.fc.bias\)"):
        load(net, half)
    with pytest.raises(ValueError, match=r"8 missing .* 32 without a place \(first: layer1.0.se.f"):
        load(SEResNet(18, se_cfg=ECA), SEResNet(18).state_dict())
    with pytest.raises(ValueError, match="have no SE in layer1"):
        load(SEResNet(18), SEResNet(18, se_cfg=ECA).state_dict())
    with pytest.raises(ValueError, match=r"without a place \(first: layer1.0.se.conv.weight"):
        load(plain, SEResNet(18, se_cfg=ECA).state_dict())
    behind = SEBackbone(dict(type="ResNet", depth=18), units=r"layer\d\.\d", se_cfg=ECA)
    with pytest.raises(ValueError, match="placement='standard' \\(the backbone has 'post'\\)"):
        load(behind, SEResNet(18, se_cfg=ECA).state_dict())


def test_weights_of_timm_by_their_name() -> None:
    check_resnet_family("timm://ecaresnet50d.miil_in1k")
    with pytest.raises(ValueError, match="computes it. Accepted are resnet, .* ecaresnet, "):
        check_resnet_family("timm://ecaresnet26t.ra2_in1k")
