"""What is built is timm's own module, and nothing else is."""

import copy
import pickle
import re
import sys

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope
from timm.layers import create_attn

from senet_mm import SEResNet

NAMES = ("eca", "ecam", "ceca", "ese", "gc", "gca", "cbam", "lcbam", "sk", "splat")


def build(name: object, **options: object) -> torch.nn.Module:
    return MODELS.build(dict(type="TimmAttention", in_channels=16, name=name, **options))


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_it_is_timms_module(name: str) -> None:
    torch.manual_seed(0)
    ours = build(name).eval()
    torch.manual_seed(0)
    theirs = create_attn(name, 16).eval()  # the check of its shape takes no random number
    assert type(ours) is type(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(2, 16, 7, 5)
    expected = theirs(x)
    assert torch.equal(ours(x), expected)
    assert torch.equal(copy.deepcopy(ours)(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(ours))(x), expected)


def test_options_are_timms() -> None:
    assert build("eca", gamma=1).conv.kernel_size == (5,)
    assert build("ge", use_mlp=False).mlp is not None
    assert type(build("ese", gate_layer="sigmoid").gate).__name__ == "Sigmoid"


def test_as_a_plugin() -> None:
    plugin = dict(cfg=dict(type="TimmAttention", name="eca"), position="after_conv3")
    with DefaultScope.overwrite_default_scope("mmdet"):
        net = MODELS.build(dict(type="ResNet", depth=50, plugins=[plugin]))
    assert type(net.layer1[0].timm_attention).__name__ == "EcaModule"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ecaa", {}, f"timm {timm.__version__} has no attention 'ecaa'; the nearest are eca, "),
        ("", {}, "has no attention ''; there are bat, cbam"),
        (None, {}, "has no attention None; "),
        ("se", {}, "name='se' is SE: leave type and name out"),
        ("eca", dict(rd=1), "'eca' of timm"),
        ("sk", dict(stride=2), "'sk' makes (1, 16, 7, 5) of a map of shape (1, 16, 13, 9)"),
        ("halo", {}, "does not work so on a map of shape (1, 16, 13, 9): "),
        ("bat", {}, "does not work so on a map of shape (1, 16, 13, 9): AssertionError"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(name: object, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        build(name, **options)
    assert "\n" not in str(caught.value)


def test_timm_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match="TimmAttention needs timm: pip install timm"):
        SEResNet(18, se_cfg=dict(type="TimmAttention", name="eca"))
