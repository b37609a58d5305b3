"""Any backbone with SE from a config: the plain twin inside, its names outside."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.model import convert_sync_batchnorm
from mmengine.model.efficient_conv_bn_eval import turn_on_efficient_conv_bn_eval
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from torch import Tensor, nn

from senet_mm.backbones import SEResNet
from senet_mm.layers.attach import attached_se, plain_of
from senet_mm.weights import load_weights
from tests.compat.internals import OLD_TORCH

pytestmark = pytest.mark.slow

UNITS = r"layer\d\.\d+\.bn3"
REGNET = dict(
    type="RegNet",
    arch=dict(w0=16, wa=10.0, wm=2.5, group_w=8, depth=5, bot_mul=1.0),
    out_indices=(0, 1),
    strides=(2, 2),
    dilations=(1, 1),
    norm_eval=False,
)


def build(backbone: dict = REGNET, **options: Any) -> Any:
    options = dict(units=UNITS, se_cfg=dict(reduction=4)) | options
    return MODELS.build(dict(type="SEBackbone", backbone=backbone, **options))


def plain(**options: Any) -> Any:
    return MODELS.build(REGNET | options)


def save(net: nn.Module, path: Path, **meta: Any) -> str:
    weights = {f"backbone.{key}": value for key, value in net.state_dict().items()}
    torch.save(dict(state_dict=weights, meta=meta), path)
    return str(path)


@pytest.fixture
def x() -> Tensor:
    return torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))


def test_names_are_the_plain_backbones(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, twin = build(), plain()

    def trunk(names: Any) -> list[str]:
        return [name for name in names if ".se" not in name]

    assert trunk(net.state_dict()) == list(twin.state_dict())
    assert list(get_state_dict(net)) == list(net.state_dict())
    for names in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        ours = [name for name, _ in getattr(net, names)()]
        assert trunk(ours) == [name for name, _ in getattr(twin, names)()]
    detector = nn.ModuleDict({"backbone": net})
    assert "backbone.layer1.0.bn3.se.fc1.weight" in detector.state_dict()
    incompatible = detector.load_state_dict(nn.ModuleDict({"backbone": twin}).state_dict(), False)
    assert all(".se." in key for key in incompatible.missing_keys)
    assert not incompatible.unexpected_keys
    load_state_dict(net, twin.state_dict())
    assert torch.equal(net.conv1.weight, twin.conv1.weight)
    assert net.plain.conv1.weight is net.conv1.weight
    assert net.style == "pytorch"  # of the plain one
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = net.nothing_of_this_name
    assert plain_of(net) is net.plain
    assert plain_of(twin) is twin


def test_identity_init_is_the_plain_net_also_after_mmengine_initialized(x: Tensor) -> None:
    net, twin = build(se_cfg=dict(reduction=4, identity_init=True)), plain()
    net.init_weights()
    twin.load_state_dict(net.state_dict(), strict=False)
    for mode in (False, True):
        net.train(mode)
        twin.train(mode)
        for ours, theirs in zip(net(x), twin(x), strict=True):
            assert torch.equal(ours, theirs)


def test_what_the_plain_backbone_does_with_a_state_dict_is_done() -> None:
    @MODELS.register_module(name="Renaming", force=True)
    class Renaming(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 16, 1)
            self.register_buffer("mean", torch.zeros(1))
            self.register_buffer("of_this_run", torch.zeros(1), persistent=False)
            self._register_load_state_dict_pre_hook(self._rename)

        def _rename(self, state_dict: dict, prefix: str, *args: object) -> None:
            if f"{prefix}old" in state_dict:
                state_dict[f"{prefix}mean"] = state_dict.pop(f"{prefix}old")

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x) - self.mean

    net = build(dict(type="Renaming"), units="conv")
    weights = net.state_dict()
    assert "of_this_run" not in weights
    del weights["mean"]
    detector = nn.ModuleDict({"backbone": net})
    detector.load_state_dict(
        {f"backbone.{k}": v for k, v in weights.items()} | {"backbone.old": torch.ones(1)}
    )
    assert net.plain.mean == 1


def test_conv_bn_folding_behind_whole_layers(x: Tensor) -> None:
    net = build(
        dict(type="MobileNetV2", widen_factor=0.25, out_indices=(1, 2)),
        units=r"layer\d\.\d\.linear_conv",
        se_cfg=dict(squeeze_channels=2),
    ).eval()
    expected = net(x)
    turn_on_efficient_conv_bn_eval(nn.ModuleDict({"backbone": net}), "backbone")
    for a, b in zip(net(x), expected, strict=True):
        torch.testing.assert_close(a, b)


def test_se_of_zeros_would_never_learn() -> None:
    """mmdet's zero-init reaches all children of a norm."""
    net = build(REGNET | dict(zero_init_residual=True))
    assert net.plain.layer1[0].bn3.se is net.layer1[0].bn3.se
    before = {key: v.clone() for key, v in net.state_dict().items() if ".se." in key}
    net.init_weights()
    assert (net.layer1[0].bn3.weight == 0).all()
    for key, value in before.items():
        assert torch.equal(net.state_dict()[key], value), key


def test_the_trunk_is_initialized_as_in_the_plain_twin() -> None:
    net, twin = build(), plain()
    for each in (net, twin):
        torch.manual_seed(5)
        each.init_weights()
    for key, value in twin.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key


def test_freezing_fixed_statistics_and_checkpointing_are_the_plain_backbones(x: Tensor) -> None:
    net = build(REGNET | dict(frozen_stages=1, norm_eval=True, with_cp=True))
    assert net.train() is net
    assert net.training
    assert not net.layer1.training
    assert not net.layer2[0].bn1.training
    sum(out.sum() for out in net(x)).backward()
    without = {name.split(".")[0] for name, p in net.named_parameters() if p.grad is None}
    assert without == {"conv1", "bn1", "layer1"}
    assert all(p.grad is not None for p in net.layer2.parameters())


def test_an_optimizer_sees_each_parameter_once_under_the_plain_names() -> None:
    detector = nn.ModuleDict({"backbone": build()})
    wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1.0))
    custom = dict(custom_keys={"backbone.layer1": dict(lr_mult=0.1)})
    optimizer = DefaultOptimWrapperConstructor(wrapper, custom)(detector).optimizer
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert len(rates) == sum(len(group["params"]) for group in optimizer.param_groups)
    for name, parameter in detector.named_parameters():
        assert rates[id(parameter)] == (0.1 if name.startswith("backbone.layer1") else 1.0)


def test_copies_compiled_and_exported(x: Tensor) -> None:
    net = build().eval()
    expected = net(x)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.plain is not net.plain
        assert other.plain._modules is other._modules
        assert all(torch.equal(a, b) for a, b in zip(other(x), expected, strict=True))
    assert net.double().plain.conv1.weight.dtype == torch.float64
    net.float()
    runs = [torch.compile(net, fullgraph=True, backend="eager"), torch.jit.trace(net, x)]
    if not OLD_TORCH:  # whose export knows no hooks
        runs.append(torch.export.export(net, (x,)).module())
    for run in runs:
        for a, b in zip(run(x), expected, strict=True):
            torch.testing.assert_close(a, b)


def test_syncbn_keeps_se_and_conv_bn_folding_is_refused(x: Tensor) -> None:
    net = build().eval()
    with torch.no_grad():
        for block in attached_se(net).values():
            block.fc2.bias.add_(2)
    expected = net(x)
    exchanged = convert_sync_batchnorm(copy.deepcopy(net)).eval()
    assert isinstance(exchanged.plain.bn1, nn.SyncBatchNorm)
    for a, b in zip(exchanged(x), expected, strict=True):
        torch.testing.assert_close(a, b)
    with pytest.raises(ValueError, match="would leave out SE behind the batch norm layer1.0.bn3"):
        turn_on_efficient_conv_bn_eval(nn.ModuleDict({"backbone": net}), "backbone")


def test_weights_of_the_plain_twin_need_se_that_starts_as_the_identity(tmp_path: Path) -> None:
    twin, path = plain(), tmp_path / "plain.pth"
    init_cfg = dict(type="Pretrained", checkpoint=save(twin, path), prefix="backbone")
    with pytest.raises(ValueError) as caught:
        build(REGNET | dict(init_cfg=init_cfg)).init_weights()
    assert str(caught.value) == (
        f"weights {path} (the backbone's own layout) have no SE in layer1.0.bn3, layer2.0.bn3, "
        "layer2.1.bn3, ... (5 in all), where this RegNet has it: it would stay random. Give "
        "weights of an SE net, or let SE start as the identity: se_cfg=dict(identity_init=True)"
    )
    se_cfg = dict(reduction=4, identity_init=True)
    net = build(REGNET | dict(init_cfg=init_cfg), se_cfg=se_cfg)
    net.init_weights()
    assert len(net.load_report.identity) == 5
    for key, value in twin.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key
    # the same, as the pretrained weights of mmdet's older configs
    net = build(REGNET | dict(pretrained=str(path)), se_cfg=se_cfg)
    net.init_weights()
    assert torch.equal(net.conv1.weight, twin.conv1.weight)


def test_weights_of_the_whole_are_its_own_init_cfg(tmp_path: Path) -> None:
    source, path = build(), tmp_path / "se.pth"
    init_cfg = dict(type="Pretrained", checkpoint=save(source, path))
    inner = REGNET | dict(init_cfg=dict(type="Pretrained", checkpoint="absent.pth"))
    net = build(inner, init_cfg=init_cfg)
    net.init_weights()
    assert net.load_report.is_complete
    for key, value in source.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key
    with pytest.raises(ValueError, match=r"20 without a place .first: backbone.layer1.0.bn3.se"):
        load_weights(plain(), str(path))


def test_options_without_a_trace_are_compared_where_the_file_says_them(tmp_path: Path) -> None:
    cfg = (
        "model = dict(backbone=dict(type='SEBackbone', backbone=dict(type='RegNet'), "
        "units='layer.*', se_cfg=dict(reduction=4, gate='tanh')))"
    )
    path = save(build(), tmp_path / "se.pth", cfg=cfg)
    with pytest.raises(
        ValueError,
        match=re.escape(
            "they need se_cfg gate='tanh' (the backbone has 'sigmoid') behind layer1.0.bn3"
        ),
    ):
        load_weights(build(), path)
    assert load_weights(build(se_cfg=dict(reduction=4, gate="tanh")), path).is_complete


RESNET = dict(type="ResNet", depth=18)


def test_geometry_of_the_resnet_family_is_checked(tmp_path: Path) -> None:
    se = dict(reduction=16, identity_init=True)
    path = save(MODELS.build(RESNET), tmp_path / "resnet.pth")
    net = build(RESNET, units=r"layer\d\.\d\.bn2", se_cfg=se)
    report = load_weights(net, path)
    assert report.is_complete
    assert len(report.identity) == 8
    deep = build(RESNET | dict(deep_stem=True), units=r"layer\d\.\d\.bn2", se_cfg=se)
    with pytest.raises(ValueError, match=r"deep_stem=False .the backbone has True"):
        load_weights(deep, path)
    random = build(RESNET, units=r"layer\d\.\d\.bn2", se_cfg={})
    with pytest.raises(ValueError, match="have no SE in layer1, layer2, layer3, layer4"):
        load_weights(random, path)
    whole = save(random, tmp_path / "se.pth")
    assert load_weights(build(RESNET, units=r"layer\d\.\d\.bn2", se_cfg={}), whole).is_complete
    with pytest.raises(ValueError, match=r"32 without a place .first: backbone.layer1.0.bn2.se"):
        load_weights(MODELS.build(RESNET), whole)


def test_behind_a_residual_unit_it_is_se_after_the_sum(tmp_path: Path, x: Tensor) -> None:
    """The keys are SEResNet's, the function is that of placement='post'."""
    torch.manual_seed(0)
    net = build(RESNET, units=r"layer\d\.\d", se_cfg={}).eval()
    post = SEResNet(18, se_cfg=dict(placement="post"))
    post.load_state_dict(net.state_dict())
    post.eval()
    for a, b in zip(net(x), post(x), strict=True):
        torch.testing.assert_close(a, b)
    cfg = (
        "model = dict(backbone=dict(type='SEBackbone', backbone=dict(type='ResNet', depth=18), "
        r"units='layer\\d\\.\\d', se_cfg=dict()))"
    )
    path = save(net, tmp_path / "se.pth", cfg=cfg)
    assert load_weights(build(RESNET, units=r"layer\d\.\d", se_cfg={}), path).is_complete
    assert load_weights(SEResNet(18, se_cfg=dict(placement="post")), path).is_complete
    with pytest.raises(ValueError, match="placement='post'"):
        load_weights(SEResNet(18), path)
    torch.save(SEResNet(18).state_dict(), tmp_path / "standard.pth")
    with pytest.raises(ValueError, match="placement='standard'"):
        load_weights(net, str(tmp_path / "standard.pth"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(backbone=dict(depth=18)), "SEBackbone: backbone={'depth': 18}: expected a dict with"),
        (dict(frozen_stages=1), "SEBackbone takes no frozen_stages: options of the plain backbone"),
        (dict(units="layr.*"), "units: 'layr.*' matches no module of RegNet"),
        (dict(se_cfg=dict(ratio=4)), "unknown keys ['ratio']"),
        (dict(units="layer1.0.relu"), "layer1.0.relu is called 3 times"),
    ],
)
def test_what_is_wrong_is_named(options: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        build(**options)
