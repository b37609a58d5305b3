"""Checkpoints in a run of mmengine: load_from, resume, the plain twin, the preprocessing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from torch import nn

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity import build_detector
from senet_mm.runs import hooks
from senet_mm.runs.hooks import CheckFitHook, WeightsHook, add_hooks
from senet_mm.weights.recognize.normalization import CAFFE_BGR
from tests.runs.runners import Net, Seen, make_runner

SE = "demo/faster_rcnn_se_r18_fpn_shapes.py"
PLAIN = "demo/faster_rcnn_r18_fpn_shapes.py"

pytestmark = pytest.mark.slow


def config(name: str, load_from: Path | None = None, **backbone: object) -> Config:
    cfg = Config.fromfile(config_path(name))
    cfg.model.backbone.update(backbone)
    cfg.load_from = load_from and str(load_from)
    return cfg


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Config], tuple[nn.Module, dict]]:
    """Let a real runner load what its config says; the model, and what mmengine was given."""

    def run(cfg: Config) -> tuple[nn.Module, dict]:
        seen = Seen()
        runner = make_runner(cfg, tmp_path / "work", dict(type="WeightsHook"), seen)
        runner.load_or_resume()
        return runner.model, seen.checkpoint

    return run


@pytest.fixture
def train(tmp_path: Path) -> Callable[[Config], Runner]:
    """Start a real training; it ends before the first epoch."""

    def run(cfg: Config) -> Runner:
        runner = make_runner(cfg, tmp_path / "work", dict(type="WeightsHook"))
        runner.train()
        return runner

    return run


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    logged: list[str] = []
    monkeypatch.setattr(hooks, "print_log", lambda message, *args: logged.append(message))
    return logged


def test_a_classifiers_weights_are_renamed_into_the_detector(load, tmp_path, warnings) -> None:
    name, path = "faster_rcnn_se_r50_fpn.py", tmp_path / "se_resnet50.pth"
    net = timm.create_model("legacy_seresnet50", pretrained=False)
    torch.save({"state_dict": net.state_dict()}, path)
    model, checkpoint = load(config(name, path, init_cfg=None, style="caffe", stem_pool="ceil"))
    weights = checkpoint["state_dict"]
    assert torch.equal(weights["backbone.conv1.weight"], net.layer0.conv1.weight)
    assert torch.equal(model.backbone.conv1.weight, net.layer0.conv1.weight)
    assert not any("layer0" in key or "se_module" in key for key in weights)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not [key for key in missing if key.startswith("backbone.")]
    assert set(unexpected) == {"last_linear.weight", "last_linear.bias"}
    assert not warnings
    # the same weights in a backbone of another geometry
    with pytest.raises(ValueError, match=r"se_resnet50\.pth .*style='caffe'.*stem_pool='ceil'"):
        load(config(name, path))


@pytest.mark.slow
def test_a_detectors_own_checkpoint_and_its_config(load, tmp_path: Path, warnings) -> None:
    path = tmp_path / "epoch_1.pth"
    cfg = config(SE, path)
    weights = {f"module.{key}": value for key, value in build_detector(cfg).state_dict().items()}
    torch.save(dict(meta=dict(cfg=cfg.pretty_text), state_dict=weights), path)
    assert len(load(cfg)[1]["state_dict"]) == len(weights)
    # trained with another gate: every tensor fits, and the checkpoint says so
    with pytest.raises(ValueError, match=r"gate='sigmoid' \(the backbone has 'tanh'\)"):
        load(config(SE, path, se_cfg=dict(gate="tanh")))
    assert not warnings
    cfg.model.data_preprocessor.update(CAFFE_BGR.as_config())
    load(cfg)
    (warning,) = warnings
    assert "trained on images as RGB, mean [123.675" in warning
    assert "makes them BGR, mean [103.53" in warning


@pytest.mark.slow
def test_the_backbones_own_weights_and_the_plain_twins(train, tmp_path: Path, warnings) -> None:
    path = tmp_path / "x.pth"
    torch.save(MODELS.build(dict(type="SEResNet", depth=18)).state_dict(), path)
    init_cfg = dict(type="Pretrained", checkpoint=str(path))
    cfg = config(SE, init_cfg=init_cfg)
    train(cfg)
    assert not warnings
    cfg.data_preprocessor = cfg.model.pop("data_preprocessor")
    cfg.data_preprocessor.bgr_to_rgb = False
    train(cfg)
    (warning,) = warnings
    assert warning.startswith(f"{path} was trained on images as RGB")
    assert "'bgr_to_rgb': True" in warning

    plain = config(PLAIN, init_cfg=init_cfg)
    with pytest.raises(ValueError, match="are not those of this ResNet: they need SE"):
        train(plain)
    # whatever was there is overwritten
    whole = {key: torch.ones_like(v) for key, v in build_detector(plain).state_dict().items()}
    torch.save({"state_dict": whole}, tmp_path / "whole.pth")
    plain.load_from = str(tmp_path / "whole.pth")
    assert (train(plain).model.backbone.conv1.weight == 1).all()
    plain.load_from = None
    # mmengine would look for tensors at the top of this file and load none
    weights = timm.create_model("resnet18", pretrained=False).state_dict()
    torch.save({"model": weights}, path)
    assert torch.equal(train(plain).model.backbone.conv1.weight, weights["conv1.weight"])


@pytest.mark.parametrize("wrapper", ["model", "state_dict_ema"])
def test_one_state_dict_is_checked_and_loaded(load, wrapper, tmp_path: Path, warnings) -> None:
    """A detector in a wrapper: all of it, from where its backbone comes."""
    cfg = config(SE, tmp_path / "x.pth")
    model = build_detector(cfg)
    weights = {f"module.{k}": torch.ones_like(v) for k, v in model.state_dict().items()}
    checkpoint = {wrapper: weights, "optimizer": {}}
    if wrapper == "state_dict_ema":
        checkpoint["state_dict"] = {key: -value for key, value in weights.items()}
    torch.save(checkpoint, cfg.load_from)
    loaded, checkpoint = load(cfg)
    assert checkpoint["state_dict"].keys() == model.state_dict().keys()
    assert all((tensor == 1).all() for tensor in loaded.state_dict().values())
    weights["module.rpn_head.rpn_cls.bias"][0] = float("nan")
    torch.save({wrapper: weights}, cfg.load_from)
    with pytest.raises(ValueError, match=r"x\.pth has NaN .*rpn_head\.rpn_cls\.bias"):
        load(cfg)


def test_a_whole_detectors_init_cfg(train, tmp_path: Path, warnings) -> None:
    path = tmp_path / "x.pth"
    cfg = config(SE)
    weights = {k: torch.ones_like(v) for k, v in build_detector(cfg).state_dict().items()}
    torch.save({"state_dict": {f"detector.{key}": v for key, v in weights.items()}}, path)
    for prefix in ({}, dict(prefix="detector")):
        cfg.model.init_cfg = dict(type="Pretrained", checkpoint=str(path), **prefix)
        loaded = train(cfg).model.state_dict()
        assert all((tensor == 1).all() for tensor in loaded.values())
    other = config(SE, se_cfg=dict(reduction=8))
    other.model.init_cfg = dict(type="Pretrained", checkpoint=str(path))
    with pytest.raises(ValueError, match=r"reduction=16 \(the backbone has 8\)"):
        train(other)


def test_the_backbone_is_the_detectors_where_there_are_several(load, tmp_path, warnings) -> None:
    cfg = config(SE, tmp_path / "x.pth")
    model = build_detector(cfg)
    rfp = {f"neck.rfp.0.{k}": v for k, v in model.backbone.state_dict().items()}
    torch.save({"state_dict": {**model.state_dict(), **rfp}}, cfg.load_from)
    _, checkpoint = load(cfg)
    assert checkpoint["state_dict"].keys() == {**model.state_dict(), **rfp}.keys()


@pytest.mark.parametrize(
    "backbone",
    [
        dict(type="RegNet", arch="regnetx_400mf"),
        dict(type="Res2Net", depth=50, scales=4, base_width=26),
        dict(type="ResNeSt", depth=50),
        None,
    ],
)
def test_nets_that_are_not_of_the_family_are_left_alone(backbone, tmp_path: Path) -> None:
    """Those that derive from ResNet compute other things."""
    model = Net(MODELS.build(backbone) if backbone else nn.Linear(1, 1))
    path = tmp_path / "x.pth"
    torch.save({"state_dict": model.state_dict()}, path)
    seen = Seen()
    cfg = Config(dict(load_from=str(path)))
    runner = make_runner(cfg, tmp_path / "work", dict(type="WeightsHook"), seen, model=model)
    runner.load_or_resume()
    assert seen.checkpoint["state_dict"].keys() == model.state_dict().keys()
    make_runner(Config(), tmp_path / "work", dict(type="WeightsHook"), model=model).train()


def test_se_behind_units_of_another_net(tmp_path: Path) -> None:
    plain = dict(type="MobileNetV2", widen_factor=0.25)
    units = r"layer\d\.\d\.linear_conv\.bn"

    def with_se(**se_cfg: object) -> Net:
        options = dict(squeeze_channels=2) | se_cfg
        cfg = dict(type="SEBackbone", backbone=plain, units=units, se_cfg=options)
        return Net(MODELS.build(cfg))

    def load(model: Net, source: Net) -> dict:
        torch.save({"state_dict": source.state_dict()}, tmp_path / "x.pth")
        seen = Seen()
        cfg = Config(dict(load_from=str(tmp_path / "x.pth")))
        hook = dict(type="WeightsHook")
        make_runner(cfg, tmp_path / "work", hook, seen, model=model).load_or_resume()
        return seen.checkpoint["state_dict"]

    twin = Net(MODELS.build(plain))
    assert load(with_se(identity_init=True), twin).keys() == twin.state_dict().keys()
    assert load(with_se(), with_se()).keys() == with_se().state_dict().keys()
    with pytest.raises(ValueError, match=r"have no SE in .*identity_init=True"):
        load(with_se(), twin)
    with pytest.raises(ValueError, match="has SE in 17 places .*MobileNetV2 has none"):
        load(twin, with_se())


def test_what_a_checkpoint_leaves_unset_is_refused(tmp_path: Path) -> None:
    cfg = config(SE, tmp_path / "x.pth")
    weights = build_detector(cfg).state_dict()
    del weights["rpn_head.rpn_cls.bias"]
    torch.save({"state_dict": weights}, cfg.load_from)
    added = [dict(type="WeightsHook"), dict(type="CheckFitHook")]
    with pytest.raises(ValueError, match=r"1 are missing and 0 .*rpn_head\.rpn_cls\.bias"):
        make_runner(cfg, tmp_path / "work", *added).load_or_resume()


def test_the_hooks_are_added_once_however_they_were_given() -> None:
    for given in ("WeightsHook", "mmengine.WeightsHook", WeightsHook):
        cfg = Config(dict(custom_hooks=[dict(type=EMAHook), dict(type=given)]))
        for complete in (False, True, True, False):
            add_hooks(cfg, [WeightsHook, *([CheckFitHook] if complete else [])])
        assert [hook["type"] for hook in cfg.custom_hooks] == [
            EMAHook,
            "mmengine.CheckFitHook",
            "mmengine.WeightsHook",
        ]
    cfg = Config(dict(custom_hooks=[dict(type="EMAHook"), dict(type="WeightsHook")]))
    add_hooks(cfg, [WeightsHook, CheckFitHook])
    assert [hook["type"] for hook in cfg.custom_hooks] == [
        "EMAHook",
        "mmengine.WeightsHook",
        "mmengine.CheckFitHook",
    ]
    cfg = Config()
    cfg.custom_hooks = [CheckFitHook()]
    add_hooks(cfg, [WeightsHook, CheckFitHook])
    assert len(cfg.custom_hooks) == 2
