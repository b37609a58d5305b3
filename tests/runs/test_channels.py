from typing import Any

import pytest
from mmengine.config import Config

from senet_mm.cli.explain import explain
from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.channels import check_channels


@pytest.fixture
def cfg() -> Config:
    cfg = Config.fromfile(config_path("faster_rcnn_r50_fpn.py"))
    cfg.model.backbone = dict(type="TimmBackbone", model_name="mobilenetv3_small_100")
    cfg.model.neck.in_channels = [16, 24, 48, 576]
    return cfg


def test_a_neck_that_fits_passes(cfg: Config) -> None:
    check_channels(cfg)
    for name in ("faster_rcnn_se_r50_fpn.py", "faster_rcnn_senet154_fpn.py"):
        check_channels(Config.fromfile(config_path(name)))
    cfg.model.neck = dict(type="DilatedEncoder", in_channels=576)
    check_channels(cfg)
    del cfg.model["neck"]
    check_channels(cfg)


def test_another_list_is_told(cfg: Config) -> None:
    cfg.model.neck.in_channels = [256, 512, 1024, 2048]
    told = (
        r"model\.neck\.in_channels=\[256, 512, 1024, 2048\]: the backbone, TimmBackbone, gives "
        r"\[16, 24, 48, 576\]; set --cfg-options model\.neck\.in_channels=\"\[16, 24, 48, 576\]\""
    )
    with pytest.raises(ValueError, match=told):
        check_channels(cfg)
    fpn = cfg.model.neck
    cfg.model.neck = dict(type="SENeck", neck=[fpn, dict(type="BFP", in_channels=256)])
    with pytest.raises(ValueError, match=r"model\.neck\.neck\.0\.in_channels=\[256, 512, "):
        check_channels(cfg)
    cfg.model.neck = dict(type="DilatedEncoder", in_channels=2048)
    with pytest.raises(ValueError, match=r"in_channels=2048: .*in_channels=\"576\""):
        check_channels(cfg)


def test_se_around_a_backbone_changes_no_channels(cfg: Config) -> None:
    units = r"timm_model\.blocks\.\d\.\d\.bn3"
    cfg.model.backbone = dict(type="SEBackbone", backbone=cfg.model.backbone, units=units)
    check_channels(cfg)
    cfg.model.neck.in_channels = [16, 24, 48, 96]
    with pytest.raises(ValueError, match=r"=\[16, 24, 48, 96\]: .* gives \[16, 24, 48, 576\]"):
        check_channels(cfg)


def test_a_backbone_that_cannot_be_built_is_told_before_the_run(cfg: Config) -> None:
    cfg.model.backbone.model_name = "mobilnetv3_small_100"
    with pytest.raises(ValueError, match="no such network; the nearest are mobilenetv3_small_100"):
        check_channels(cfg)


@pytest.mark.parametrize(
    "backbone",
    [
        dict(type="ResNet", depth=18),
        dict(type="SEResNet", depth=34, dcn=dict(type="DCN"), stage_with_dcn=(False,) * 4),
        dict(type="SEResNet", depth=50, base_channels=16, init_cfg=dict(checkpoint="none.pth")),
        dict(type="SEBackbone", backbone=dict(type="ResNet", depth=18), units=r"layer\d\.\d\.bn2"),
    ],
)
def test_a_resnet_of_another_depth_or_width(cfg: Config, backbone: dict[str, Any]) -> None:
    cfg.model.backbone = backbone
    cfg.model.neck.in_channels = [64, 128, 256, 512]
    check_channels(cfg)
    cfg.model.neck.in_channels = [256, 512, 1024, 2048]
    told = (
        r"gives \[64, 128, 256, 512\]; set --cfg-options model\.neck\.in_channels=\"\[64, 128, 25"
    )
    with pytest.raises(ValueError, match=told):
        check_channels(cfg)
    cfg.model.neck.in_channels = [64, 128]
    with pytest.raises(ValueError, match=told):
        check_channels(cfg)


def test_a_neck_may_take_the_last_maps_alone(cfg: Config) -> None:
    cfg.model.backbone = dict(type="ResNet", depth=18)
    cfg.model.neck = dict(type="CTResNetNeck", in_channels=[128, 256, 512])
    check_channels(cfg)
    cfg.model.neck.in_channels = [64, 128, 256]
    with pytest.raises(ValueError, match="gives"):
        check_channels(cfg)


def test_what_only_derives_from_a_resnet_tells_nothing(cfg: Config) -> None:
    cfg.model.backbone = dict(type="RegNet", arch="regnetx_400mf")
    check_channels(cfg)


def test_an_option_that_a_backbone_does_not_take_is_told_before_the_run(cfg: Config) -> None:
    cfg.model.backbone = dict(type="SEResNet", depth=18, frozen_stage=1)
    with pytest.raises(TypeError, match="no 'frozen_stage'; the nearest are frozen_stages"):
        check_channels(cfg)


def test_an_error_of_mmdets_names_no_other_part(cfg: Config) -> None:
    cfg.model.backbone = dict(type="ResNet", depth=18, se_cfg=dict())
    with pytest.raises(TypeError) as caught:
        check_channels(cfg)
    line = explain(caught.value)
    assert "unexpected keyword argument 'se_cfg'" in line and "neck" not in line
