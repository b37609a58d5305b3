"""Checkpoints in a run of mmengine: load_from, resume, the plain twin, the preprocessing."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.profiling.complexity import build_detector
from senet_mm.runs import hooks as hook
from senet_mm.runs.hooks import WeightsHook
from senet_mm.runs.preflight import require_fit, watch_weights
from senet_mm.weights.recognize.normalization import CAFFE_BGR

pytestmark = pytest.mark.slow


def runner(name: str, load_from: str | None = None, **backbone: object) -> SimpleNamespace:
    """What the hook reads of mmengine's runner."""
    cfg = Config.fromfile(config_path(name))
    cfg.model.backbone.update(backbone)
    return SimpleNamespace(
        cfg=cfg, model=build_detector(cfg), _load_from=load_from, _has_loaded=False
    )


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    logged: list[str] = []
    monkeypatch.setattr(hook, "print_log", lambda message, *args: logged.append(message))
    return logged


def test_a_classifiers_weights_are_renamed_into_the_detector(warnings) -> None:
    net = timm.create_model("legacy_seresnet50", pretrained=False)
    run = runner("faster_rcnn_se_r50_fpn.py", "se_resnet50.pth", style="caffe", stem_pool="ceil")
    checkpoint = {"state_dict": net.state_dict()}
    WeightsHook().after_load_checkpoint(run, checkpoint)
    weights = checkpoint["state_dict"]
    assert torch.equal(weights["backbone.conv1.weight"], net.layer0.conv1.weight)
    assert not any("layer0" in key or "se_module" in key for key in weights)
    missing, unexpected = run.model.load_state_dict(weights, strict=False)
    assert not [key for key in missing if key.startswith("backbone.")]
    assert set(unexpected) == {"last_linear.weight", "last_linear.bias"}
    assert not warnings
    # the same weights in a backbone of another geometry
    other = runner("faster_rcnn_se_r50_fpn.py", "se_resnet50.pth")
    with pytest.raises(ValueError, match=r"se_resnet50\.pth .*style='caffe'.*stem_pool='ceil'"):
        WeightsHook().after_load_checkpoint(other, {"state_dict": net.state_dict()})


def test_a_detectors_own_checkpoint_and_its_config(warnings) -> None:
    run = runner("faster_rcnn_se_r50_fpn.py", "epoch_1.pth")
    weights = {f"module.{key}": value for key, value in run.model.state_dict().items()}
    meta = dict(cfg=run.cfg.pretty_text)
    checkpoint = dict(meta=meta, state_dict=dict(weights))
    WeightsHook().after_load_checkpoint(run, checkpoint)
    assert len(checkpoint["state_dict"]) == len(weights)
    # trained with another gate: every tensor fits, and the checkpoint says so
    other = runner("faster_rcnn_se_r50_fpn.py", "epoch_1.pth", se_cfg=dict(gate="tanh"))
    with pytest.raises(ValueError, match=r"gate='sigmoid' \(the backbone has 'tanh'\)"):
        WeightsHook().after_load_checkpoint(other, dict(meta=meta, state_dict=dict(weights)))
    assert not warnings
    run.cfg.model.data_preprocessor.update(CAFFE_BGR.as_config())
    WeightsHook().after_load_checkpoint(run, checkpoint)
    (warning,) = warnings
    assert "trained on images as RGB, mean [123.675" in warning
    assert "makes them BGR, mean [103.53" in warning


def test_the_backbones_own_weights_and_the_plain_twins(tmp_path: Path, warnings) -> None:
    path = str(tmp_path / "x.pth")
    torch.save(timm.create_model("seresnet50", pretrained=False).state_dict(), path)
    init_cfg = dict(type="Pretrained", checkpoint=path)
    run = runner("faster_rcnn_se_r50_fpn.py", init_cfg=init_cfg)
    run.model.backbone.init_weights()
    WeightsHook().before_train(run)
    assert not warnings
    run.cfg.data_preprocessor = run.cfg.model.pop("data_preprocessor")
    run.cfg.data_preprocessor.bgr_to_rgb = False
    WeightsHook().before_train(run)
    (warning,) = warnings
    assert warning.startswith(f"{path} was trained on images as RGB")
    assert "'bgr_to_rgb': True" in warning

    plain = runner("faster_rcnn_r50_fpn.py", init_cfg=init_cfg)
    with pytest.raises(ValueError, match="are not those of this ResNet: they need SE"):
        WeightsHook().before_train(plain)
    plain._has_loaded = True  # whatever was there is overwritten
    WeightsHook().before_train(plain)
    plain._has_loaded = False
    # mmengine would look for tensors at the top of this file and load none
    weights = timm.create_model("resnet50", pretrained=False).state_dict()
    torch.save({"model": weights}, path)
    WeightsHook().before_train(plain)
    assert torch.equal(plain.model.backbone.conv1.weight, weights["conv1.weight"])


@pytest.mark.parametrize("wrapper", ["model", "state_dict_ema"])
def test_one_state_dict_is_checked_and_loaded(wrapper: str, warnings) -> None:
    """A detector in a wrapper: all of it, from where its backbone comes."""
    run = runner("demo/faster_rcnn_se_r18_fpn_shapes.py", "x.pth")
    weights = {f"module.{k}": torch.ones_like(v) for k, v in run.model.state_dict().items()}
    checkpoint = {wrapper: weights, "optimizer": {}}
    if wrapper == "state_dict_ema":
        checkpoint["state_dict"] = {key: -value for key, value in weights.items()}
    WeightsHook().after_load_checkpoint(run, checkpoint)
    assert checkpoint["state_dict"].keys() == run.model.state_dict().keys()
    assert all((tensor == 1).all() for tensor in checkpoint["state_dict"].values())
    weights["module.rpn_head.rpn_cls.bias"][0] = float("nan")
    with pytest.raises(ValueError, match=r"x\.pth has NaN .*rpn_head\.rpn_cls\.bias"):
        WeightsHook().after_load_checkpoint(run, {wrapper: weights})


def test_a_whole_detectors_init_cfg(tmp_path: Path, warnings) -> None:
    name, path = "demo/faster_rcnn_se_r18_fpn_shapes.py", tmp_path / "x.pth"
    run = runner(name)
    weights = {key: torch.ones_like(value) for key, value in run.model.state_dict().items()}
    torch.save({"model": {f"detector.{key}": value for key, value in weights.items()}}, path)
    for prefix in ({}, dict(prefix="detector")):
        run.model.init_cfg = dict(type="Pretrained", checkpoint=str(path), **prefix)
        run.model.backbone.conv1.weight.data.zero_()
        WeightsHook().before_train(run)
        assert all((tensor == 1).all() for tensor in run.model.state_dict().values())
    other = runner(name, se_cfg=dict(reduction=8))
    other.model.init_cfg = run.model.init_cfg
    with pytest.raises(ValueError, match=r"reduction=16 \(the backbone has 8\)"):
        WeightsHook().before_train(other)


def test_the_backbone_is_the_detectors_where_there_are_several(warnings) -> None:
    run = runner("demo/faster_rcnn_se_r18_fpn_shapes.py", "x.pth")
    weights = run.model.state_dict()
    rfp = {f"neck.rfp.0.{k}": v for k, v in run.model.backbone.state_dict().items()}
    checkpoint = {"state_dict": {**weights, **rfp}}
    WeightsHook().after_load_checkpoint(run, checkpoint)
    assert checkpoint["state_dict"].keys() == {**weights, **rfp}.keys()


def test_nets_that_derive_from_resnet_are_left_alone() -> None:
    for backbone in (
        dict(type="RegNet", arch="regnetx_400mf"),
        dict(type="Res2Net", depth=50, scales=4, base_width=26),
        dict(type="ResNeSt", depth=50),
    ):
        model = torch.nn.Module()
        model.backbone = MODELS.build(backbone)
        checkpoint = {"state_dict": model.state_dict()}
        run = SimpleNamespace(cfg=Config(), model=model, _load_from="x", _has_loaded=False)
        WeightsHook().after_load_checkpoint(run, checkpoint)
        WeightsHook().before_train(run)
        assert checkpoint["state_dict"].keys() == model.state_dict().keys()


def test_other_backbones_are_left_alone() -> None:
    run = SimpleNamespace(
        cfg=Config(), model=torch.nn.Linear(1, 1), _load_from="x", _has_loaded=False
    )
    checkpoint = {"state_dict": {"weight": torch.zeros(1)}}
    WeightsHook().after_load_checkpoint(run, checkpoint)
    WeightsHook().before_train(run)
    assert checkpoint["state_dict"].keys() == {"weight"}


def test_tools_add_the_hook_once() -> None:
    cfg = Config(dict(custom_hooks=[dict(type="EMAHook"), dict(type="WeightsHook")]))
    watch_weights(cfg)
    require_fit(cfg)
    assert [hook["type"] for hook in cfg.custom_hooks] == [
        "EMAHook",
        "mmengine.WeightsHook",
        "mmengine.CheckFitHook",
    ]
