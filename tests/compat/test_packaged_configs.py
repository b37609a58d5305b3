import importlib.util
from pathlib import Path

import mmengine.hub
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hub import get_config, get_model
from mmengine.infer import BaseInferencer

from senet_mm import SEResNet
from senet_mm.compat import packaged_configs
from senet_mm.runs.config_file import read_config_file

# isort: split
from mmdet.apis import DetInferencer

SHAPES = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes"


def test_a_users_config_may_inherit_a_packaged_one(tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text(
        "_base_ = 'senet_mm::faster_rcnn_se_r50_fpn.py'\nmodel = dict(backbone=dict(depth=101))\n"
    )
    backbone = Config.fromfile(config).model.backbone
    assert (backbone.type, backbone.depth) == ("SEResNet", 101)
    # a scope of its own would send mmengine to a registry that does not exist
    assert backbone.get("_scope_") in (None, "mmdet")


def test_a_base_of_a_package_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mmseg" else find_spec(name)
    )
    config = tmp_path / "mine.py"
    config.write_text("_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'\n")
    told = r"mine\.py builds on mmseg::.*mmseg is not installed: `pip install 'senet_mm\[segmen"
    with pytest.raises(ImportError, match=told):
        read_config_file(config, "mine.py")


def test_get_config_of_the_hub() -> None:
    assert get_config("senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py").model.backbone.depth == 18
    plain = get_config("mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py")
    assert plain.model.backbone.type == "ResNet"


def test_the_suffix_may_be_left_out() -> None:
    with_suffix, without = (get_config(f"{SHAPES}{suffix}") for suffix in (".py", ""))
    assert without.to_dict() == with_suffix.to_dict()


def test_get_model_of_the_hub() -> None:
    model = get_model(SHAPES, init_cfg=dict(type="Normal", layer="Linear"))
    assert type(model.backbone) is SEResNet
    assert model.init_cfg["type"] == "Normal"
    assert get_model("mmdet::rpn/rpn_r50_fpn_1x_coco.py").backbone.depth == 50


def test_there_are_no_trained_models_to_fetch() -> None:
    with pytest.raises(ValueError, match="no trained detectors"):
        get_model(SHAPES, pretrained=True)


def test_inferencer_by_name(tmp_path: Path) -> None:
    model = get_model(SHAPES)
    weights = tmp_path / "weights.pth"
    meta = {"dataset_meta": {"classes": ("circle", "square", "triangle")}}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, weights)
    inferencer = DetInferencer(model=SHAPES, weights=str(weights), device="cpu")
    assert type(inferencer.model.backbone) is SEResNet
    assert inferencer.model.dataset_meta["classes"] == meta["dataset_meta"]["classes"]
    stem = inferencer.model.backbone.conv1.weight
    assert stem.equal(model.backbone.conv1.weight)
    picture = np.random.RandomState(0).randint(0, 255, (64, 64, 3), dtype=np.uint8)
    assert len(inferencer(picture)["predictions"]) == 1


def test_inferencer_of_a_config_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError, match="senet_mm has no config 'senet_mm::nope'"):
        DetInferencer(model="senet_mm::nope", device="cpu")
    with pytest.raises(ValueError, match="Cannot find model: nope in mmdet"):
        DetInferencer(model="nope", device="cpu")


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match=r"'senet_mm::nope.py'.*faster_rcnn_se_r50_fpn\.py"):
        get_config("senet_mm::nope.py")


def test_there_are_no_trained_detectors_to_fetch() -> None:
    with pytest.raises(ValueError, match="no trained detectors"):
        get_config("senet_mm::faster_rcnn_se_r50_fpn.py", pretrained=True)


def test_install_twice_wraps_once() -> None:
    def wrapped() -> tuple[object, ...]:
        hub = mmengine.hub
        loader = BaseInferencer._load_model_from_metafile
        return Config._get_cfg_path, hub.get_config, hub.get_model, loader

    before = wrapped()
    packaged_configs.install()
    assert wrapped() == before
