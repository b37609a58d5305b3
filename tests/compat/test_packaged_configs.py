from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

from senet_mm.compat import packaged_configs


def test_a_users_config_may_inherit_a_packaged_one(tmp_path: Path) -> None:
    config = tmp_path / "mine.py"
    config.write_text(
        "_base_ = 'senet_mm::faster_rcnn_se_r50_fpn.py'\nmodel = dict(backbone=dict(depth=101))\n"
    )
    backbone = Config.fromfile(config).model.backbone
    assert (backbone.type, backbone.depth) == ("SEResNet", 101)
    # a scope of its own would send mmengine to a registry that does not exist
    assert backbone.get("_scope_") in (None, "mmdet")


def test_get_config_of_the_hub() -> None:
    assert get_config("senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py").model.backbone.depth == 18
    plain = get_config("mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py")
    assert plain.model.backbone.type == "ResNet"


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(FileNotFoundError, match=r"'senet_mm::nope.py'.*faster_rcnn_se_r50_fpn\.py"):
        get_config("senet_mm::nope.py")


def test_there_are_no_trained_detectors_to_fetch() -> None:
    with pytest.raises(ValueError, match="no trained detectors"):
        get_config("senet_mm::faster_rcnn_se_r50_fpn.py", pretrained=True)


def test_install_twice_wraps_once() -> None:
    before = Config._get_cfg_path
    packaged_configs.install()
    assert Config._get_cfg_path is before
