"""Weights of another geometry are refused by name; what is loaded is reported."""

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from senet_mm.backbones import SENet, SEResNet, SEResNeXt
from senet_mm.weights import load_weights
from senet_mm.weights.load import match as loader

pytestmark = pytest.mark.slow

X32 = dict(groups=32, base_width=4)
THREE = dict(num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(0, 1, 2))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], str]:
    """Save timm's random net of a name, and return the file."""

    def save(name: str) -> str:
        path = tmp_path / f"{name}.pth"
        torch.save(timm.create_model(name, pretrained=False).state_dict(), path)
        return str(path)

    return save


def refusal(backbone: nn.Module, path: str) -> str:
    before = {key: tensor.clone() for key, tensor in backbone.state_dict().items()}
    with pytest.raises(ValueError) as caught:
        load_weights(backbone, path)
    for key, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, before[key]), key  # nothing is half loaded
    message = str(caught.value)
    assert message.startswith(f"weights {path} (")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("name", "backbone", "options", "needed"),
    [
        ("seresnet50", SEResNet, dict(depth=101), "depth=50 (the backbone has 101)"),
        ("seresnet50", SEResNet, dict(depth=18), "depth=50 (the backbone has 18)"),
        ("seresnet18", SEResNet, dict(depth=34), "depth=18 (the backbone has 34)"),
        ("seresnet50", SEResNet, dict(depth=50, style="caffe"), "style='pytorch'"),
        ("seresnet50", SEResNet, dict(depth=50, stem_pool="ceil"), "stem_pool='pad'"),
        ("seresnet50", SEResNet, dict(depth=50, deep_stem=True), "deep_stem=False"),
        ("seresnet50", SEResNet, dict(depth=50, avg_down=True), "avg_down=False"),
        ("seresnet50", SEResNeXt, dict(depth=50, **X32), "groups=1 (the backbone has 32)"),
        ("seresnext50_32x4d", SEResNet, dict(depth=50), "groups=32 (the backbone has 1)"),
        (
            "seresnext50_32x4d",
            SEResNeXt,
            dict(depth=50, groups=64, base_width=4),
            "groups=32 (the backbone has 64)",
        ),
        ("legacy_seresnet50", SEResNet, dict(depth=50, style="caffe"), "stem_pool='ceil'"),
        ("legacy_seresnet50", SEResNet, dict(depth=50, stem_pool="ceil"), "style='caffe'"),
        ("legacy_seresnet18", SEResNet, dict(depth=18, stem_pool="ceil"), "branch_relu=True"),
        ("legacy_senet154", SENet, dict(), "stem_pool='ceil' (the backbone has 'pad')"),
    ],
)
def test_another_geometry_is_named(saved, name, backbone, options, needed) -> None:
    message = refusal(backbone(**options), saved(name))
    assert f"are not those of this {backbone.__name__}: they need " in message
    assert needed in message


@pytest.mark.parametrize(
    ("se_cfg", "needed"),
    [
        (dict(reduction=8), "reduction=16 (the backbone has 8) in layer1, layer2, layer3, layer4"),
        (dict(bias=False), "bias=True (the backbone has False) in layer1"),
        (dict(placement="post"), "placement='standard' (the backbone has 'post')"),
        (dict(gate="tanh"), "gate='sigmoid' (the backbone has 'tanh')"),
        (dict(squeeze="max"), "squeeze='avg' (the backbone has 'max')"),
        (dict(identity_init=True), "identity_init=False (the backbone has True)"),
        ([{}, {}, {}, None], "they need SE (the backbone has none there) in layer4"),
        (
            [{}, {}, dict(squeeze_channels=100), {}],
            "reduction=16 (the backbone has None) in layer3",
        ),
    ],
)
def test_another_se_is_named(saved, se_cfg, needed) -> None:
    assert needed in refusal(SEResNet(50, se_cfg=se_cfg), saved("seresnet50"))


def test_plain_weights_leave_no_se_at_random(saved) -> None:
    path = saved("resnet50")
    message = refusal(SEResNet(50), path)
    assert "have no SE in layer1, layer2, layer3, layer4" in message
    assert "se_cfg=dict(identity_init=True)" in message
    partly = SEResNet(50, se_cfg=[None, dict(identity_init=True), {}, None])
    assert "have no SE in layer3, where" in refusal(partly, path)


@pytest.mark.parametrize("placement", ["standard", "pre", "post", "identity", "conv2"])
def test_identity_init_computes_the_plain_net_at_step_zero(saved, placement, randomize) -> None:
    path = saved("resnet50")
    plain = randomize(MODELS.build(dict(type="ResNet", depth=50)))
    torch.save(plain.state_dict(), path)
    model = SEResNet(50, se_cfg=dict(identity_init=True, placement=placement))
    report = load_weights(model, path)
    assert len(report.identity) == 16
    assert "SE starts as the identity in 16 units" in report.line()
    model.eval()
    plain.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(model(x), plain(x), strict=True):
            assert theirs.std() > 0.05
            assert (ours - theirs).norm() <= 1e-6 * theirs.norm()


def test_plain_mmdet_nets_are_checked_alike(saved) -> None:
    plain = MODELS.build(dict(type="ResNet", depth=50))
    assert load_weights(plain, saved("resnet50")).is_complete
    assert "SE (the backbone has none there) in layer1" in refusal(plain, saved("seresnet50"))


def test_missing_unused_and_misshapen_tensors(tmp_path: Path, saved) -> None:
    weights = torch.load(saved("seresnet18"))
    model = SEResNet(18, se_cfg=[dict(reduction=8), {}, {}, {}])
    path = str(tmp_path / "x.pth")
    for change, message in (
        (dict(drop="layer2.0.bn1.running_mean"), "1 missing (first: layer2.0.bn1.running_mean)"),
        (dict(add="layer2.0.bn9.weight"), "1 without a place (first: layer2.0.bn9.weight)"),
        (dict(cut="conv1.weight"), "1 of another shape (first: conv1.weight)"),
    ):
        changed = dict(weights)
        if "drop" in change:
            del changed[change["drop"]]
        if "add" in change:
            changed[change["add"]] = torch.zeros(1)
        if "cut" in change:
            changed[change["cut"]] = changed[change["cut"]][:, :1]
        torch.save(changed, path)
        assert message in refusal(model, path)
    # what old files do not have, and batch norm in eval does not read
    old = {key: value for key, value in weights.items() if "num_batches" not in key}
    torch.save(old, path)
    assert load_weights(model, path).is_complete


def test_nothing_that_fits_and_nan(tmp_path: Path, saved) -> None:
    path = str(tmp_path / "x.pth")
    torch.save({"encoder.block.weight": torch.zeros(1), "b": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"x\.pth holds no net of the ResNet family.*2 tensors"):
        load_weights(SEResNet(18), path)
    weights = torch.load(saved("seresnet18"))
    weights["layer3.1.bn2.weight"][5] = float("nan")
    weights["layer4.0.conv1.weight"][0, 0] = float("inf")
    torch.save(weights, path)
    with pytest.raises(ValueError, match=r"x\.pth has NaN.* in 2 tensors .*layer3\.1\.bn2\.weight"):
        load_weights(SEResNet(18), path)


def test_parts_that_no_weights_have_start_as_initialized(saved) -> None:
    path = saved("seresnet50")
    dcn = dict(dcn=dict(type="DCNv2", deform_groups=1), stage_with_dcn=(False, False, False, True))
    report = load_weights(SEResNet(50, **dcn), path)
    assert {key.split(".")[-2] for key in report.new} == {"conv_offset"}
    plugin = dict(cfg=dict(type="ContextBlock", ratio=0.25), position="after_conv3")
    report = load_weights(SEResNet(50, plugins=[plugin]), path)
    assert len(report.new) == 16 * len(
        [key for key in SEResNet(50, plugins=[plugin]).layer1[0].state_dict() if "context" in key]
    )
    report = load_weights(SEResNet(50, **THREE), path)
    assert report.is_complete
    assert {key.split(".")[0] for key in report.others} == {"layer4", "fc"}


def test_se_as_a_plugin_does_not_stay_random(saved) -> None:
    path = saved("resnet50")

    def plain(**options: object) -> nn.Module:
        cfg = dict(type="SEBlock", **options)
        plugin = dict(cfg=cfg, stages=(False, False, True, True), position="after_conv3")
        with DefaultScope.overwrite_default_scope("mmdet"):
            return MODELS.build(dict(type="ResNet", depth=50, plugins=[plugin]))

    message = refusal(plain(), path)
    assert "have no SE in layer3, layer4, where this ResNet has it" in message
    assert "of a plugin cfg=dict(identity_init=True)" in message
    model = plain(identity_init=True)
    assert len(load_weights(model, path).new) == 9 * 5
    torch.save(plain().state_dict(), path)  # its own
    assert load_weights(plain(), path).is_complete


def test_odd_tensors_are_named(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pth")
    for model, key, tensor, message in (
        (SEResNet(18), "layer1.0.se.fc2.weight", None, "is missing"),
        (SEResNet(18), "layer1.0.se.fc1.weight", torch.zeros(0, 64, 1, 1), "(0, 64, 1, 1)"),
        (SEResNet(18), "conv1.weight", torch.zeros(()), "has shape ()"),
        (SEResNet(50), "layer1.0.conv2.weight", torch.zeros(64, 0, 3, 3), "(64, 0, 3, 3)"),
        (SEResNet(18), "layer1.0.conv1.weight", torch.ones(2).to(torch.int8), "type torch.int8"),
    ):
        weights = model.state_dict()
        del weights[key]
        torch.save(weights if tensor is None else {**weights, key: tensor}, path)
        with pytest.raises(ValueError) as caught:
            load_weights(model, path)
        assert str(caught.value).startswith(path)
        assert key in str(caught.value) and message in str(caught.value)


def test_a_part_of_another_net(saved) -> None:
    message = refusal(SEResNet(101, **THREE), saved("seresnet50"))
    assert "they need stages of 3-4-6 residual units (the backbone has 3-4-23)" in message


def test_init_cfg_loads_through_the_same_checks(saved) -> None:
    path = saved("seresnet50")
    init_cfg = dict(type="Pretrained", checkpoint=path)
    with pytest.raises(ValueError, match="depth=50"):
        SEResNet(101, init_cfg=init_cfg).init_weights()
    constant = dict(type="Constant", layer="Conv2d", val=7)
    model = SEResNet(50, init_cfg=[constant, init_cfg])
    model.init_weights()
    assert model.init_cfg == [constant, init_cfg]
    assert (model.conv1.weight != 7).all()
    assert torch.equal(model.layer4[2].se.fc2.weight, torch.load(path)["layer4.2.se.fc2.weight"])
    assert model.load_report.source == path
    # what the file does not have is initialized as the others say
    plain = saved("resnet50")
    init_cfg = [constant, dict(type="Pretrained", checkpoint=plain)]
    model = SEResNet(50, se_cfg=dict(identity_init=True), init_cfg=init_cfg)
    model.init_weights()
    assert (model.layer1[0].se.fc1.weight == 7).all()


def test_the_log_has_one_line_or_a_table(saved, monkeypatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(loader, "print_log", lambda message, *args: logged.append(message))
    path = saved("seresnet50")
    load_weights(SEResNet(50), path)
    (line,) = logged
    assert "\n" not in line
    assert "382 of 382 tensors of the backbone loaded" in line
    assert "RGB, mean [123.675, 116.28, 103.53]" in line
    refusal(SEResNet(50, se_cfg=dict(bias=False)), path)
    assert "| unused  | 32" in logged[-1]


def test_the_order_of_keys_tells_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pth")
    for model in (SEResNet(18), SEResNet(50)):
        torch.save(dict(reversed(list(model.state_dict().items()))), path)
        assert load_weights(model, path).is_complete


def plain_with_se_plugin(stages: tuple[bool, ...] | None = None, **options: object) -> nn.Module:
    plugin = dict(cfg=dict(type="SEBlock", **options), position="after_conv3")
    if stages:
        plugin["stages"] = stages
    with DefaultScope.overwrite_default_scope("mmdet"):
        return MODELS.build(dict(type="ResNet", depth=50, plugins=[plugin]))


def test_se_as_a_plugin_is_checked_like_se_in_a_unit(tmp_path: Path) -> None:
    path = str(tmp_path / "x.pth")
    model = plain_with_se_plugin()
    weights = model.state_dict()
    for part in ("fc1.weight", "fc2.weight", "fc2.bias"):
        name = f"layer2.1.se_block.{part}"
        torch.save({key: value for key, value in weights.items() if key != name}, path)
        assert f"1 missing (first: {name})" in refusal(model, path)
    # what a file does not say is what released weights have
    torch.save(weights, path)
    half = plain_with_se_plugin((False, False, True, True), gate="tanh", squeeze="max")
    message = refusal(half, path)
    assert (
        "they need squeeze='avg' (the backbone has 'max') in plugins of layer3, layer4" in message
    )
    assert "gate='sigmoid' (the backbone has 'tanh') in plugins of layer3, layer4" in message
    message = refusal(plain_with_se_plugin(identity_init=True), path)
    assert "16 missing (first: layer1.0.se_block.gate_scale)" in message


def test_a_checkpoints_config_tells_of_its_se_plugins(tmp_path: Path) -> None:
    path = str(tmp_path / "epoch_1.pth")
    model = plain_with_se_plugin(gate="tanh")
    for kind in ("SEBlock", "mmdet.SEBlock"):
        plugins = [dict(cfg=dict(type=kind, gate="tanh"), position="after_conv3")]
        backbone = dict(type="ResNet", depth=50, plugins=plugins)
        weights = {f"backbone.{key}": value for key, value in model.state_dict().items()}
        meta = dict(cfg=f"model = dict(backbone={backbone})")
        torch.save(dict(meta=meta, state_dict=weights), path)
        assert load_weights(model, path).is_complete
        message = refusal(plain_with_se_plugin(), path)
        assert "gate='tanh' (the backbone has 'sigmoid') in plugins of layer1, layer2" in message
