from __future__ import annotations

import copy

import pytest
from mmcv.transforms import TestTimeAug
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.tta import describe_tta, use_tta

DEMO = "demo/faster_rcnn_se_r18_fpn_shapes.py"


def test_a_detector_sees_each_image_mirrored_too() -> None:
    cfg = Config.fromfile(config_path(DEMO))
    cfg.work_dir = "w"
    steps = [step.type for step in cfg.test_dataloader.dataset.pipeline]
    detector = cfg.model.type
    assert describe_tta(cfg) == "2 views of each picture, merged by DetTTAModel"
    use_tta(cfg)
    assert cfg.model.type == "DetTTAModel" and cfg.model.module.type == detector
    *first, last = cfg.test_dataloader.dataset.pipeline
    assert [step.type for step in first] == steps[:-1] and last.type == "TestTimeAug"
    assert cfg.work_dir == "w/tta"  # whose config does not replace the training's


def test_the_configs_own_come_first() -> None:
    cfg = Config.fromfile(config_path(DEMO))
    cfg.work_dir = "w"
    cfg.tta_model = dict(type="Own")
    cfg.tta_pipeline = [dict(type="LoadImageFromFile"), dict(type="TestTimeAug", transforms=[])]
    use_tta(cfg)
    assert cfg.model.type == "Own" and len(cfg.test_dataloader.dataset.pipeline) == 2


def test_views_are_all_combinations() -> None:
    cfg = Config.fromfile(config_path("classification/se_resnet50_in1k.py"))
    assert describe_tta(cfg) == "10 views of each picture, merged by AverageClsScoreTTA"
    cfg.tta_pipeline[-1].type = TestTimeAug
    assert describe_tta(cfg).startswith("10 views")


def test_masks_cannot_be_merged() -> None:
    cfg = Config.fromfile(config_path("demo/mask_rcnn_se_r18_fpn_shapes.py"))
    cfg.work_dir = "w"
    with pytest.raises(ValueError, match="--tta: mmdet's DetTTAModel merges boxes, and the config"):
        use_tta(copy.deepcopy(cfg))
    cfg.tta_model = dict(type="OwnModel")
    use_tta(cfg)
    assert cfg.model.type == "OwnModel"


@pytest.mark.parametrize(
    ("scope", "lacks"), [("mmpretrain", "tta_pipeline"), ("mmseg", "tta_model")]
)
def test_what_is_missing(scope: str, lacks: str) -> None:
    cfg = Config(dict(default_scope=scope, model=dict(type="Net"), work_dir="w"))
    with pytest.raises(ValueError, match=f"--tta: the config .* has no {lacks}"):
        use_tta(cfg)
