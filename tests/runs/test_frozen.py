import argparse
import re
from pathlib import Path

import pytest
from mmengine.config import Config

from senet_mm.cli.arguments import KeyValues
from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.config import load_config
from senet_mm.runs.frozen import check_frozen


def config(name: str, **options: object) -> Config:
    cfg = Config.fromfile(config_path(name))
    cfg.merge_from_dict(options)
    return cfg


@pytest.mark.parametrize("name", ["faster_rcnn_r50_fpn.py", "demo/faster_rcnn_r18_fpn_shapes.py"])
def test_pretrained_or_unfrozen_runs_pass(name: str) -> None:
    check_frozen(config(name))


def test_frozen_random_weights_are_refused() -> None:
    name = "ablations/table10_r2.py"
    with pytest.raises(ValueError, match="frozen_stages=1 and norm_eval=True.*init_cfg"):
        check_frozen(config(name))
    backbone = "model.backbone."
    with pytest.raises(ValueError, match="frozen_stages=-1 and norm_eval=True"):
        check_frozen(config(name, **{backbone + "frozen_stages": -1}))
    check_frozen(config(name, **{backbone + "frozen_stages": -1, backbone + "norm_eval": False}))
    weights = {backbone + "init_cfg.type": "Pretrained", backbone + "init_cfg.checkpoint": "a.pth"}
    check_frozen(config(name, **weights))
    check_frozen(config(name, load_from="a.pth"))


BOTH = {"frozen_stages", "norm_eval"}


@pytest.mark.parametrize(
    ("backbone", "freed"),
    [
        ("type='SEResNet', depth=18, frozen_stages=1", BOTH),  # without init_cfg
        ("type='SEResNet', depth=18, frozen_stages=1, init_cfg=None", BOTH),
        ("type='SEResNet', depth=18, frozen_stages=1, init_cfg={}", BOTH),
        ("type='SwinTransformer', frozen_stages=1, init_cfg=None", {"frozen_stages"}),
        ("type='TimmBackbone', model_name='resnet18', norm_eval=True", {"norm_eval"}),
        ("type='SEBackbone', units='', backbone=dict(type='ResNet', depth=18)", {"norm_eval"}),
    ],
)
def test_what_the_message_suggests_works(backbone: str, freed: set[str], tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    text = "_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'\nmodel = dict(backbone={})"
    file.write_text(text.format(f"dict({backbone}, _delete_=True)"))
    with pytest.raises(ValueError, match="would freeze random ones") as refusal:
        check_frozen(load_config(str(file)))
    suggested = re.findall(r"--cfg-options ([^)]*)", str(refusal.value))
    assert len(suggested) == 2
    parser = argparse.ArgumentParser()
    parser.add_argument("--cfg-options", nargs="+", action=KeyValues)
    for options in suggested:
        given = parser.parse_args(["--cfg-options", *options.split()]).cfg_options
        cfg = load_config(str(file), options=given)
        check_frozen(cfg)
        for path, value in given.items():
            assert eval(f"cfg.{path}") == value
    assert {path.rpartition(".")[2] for path in given} == freed  # from scratch


def test_defaults_of_the_backbone_count_and_what_does_nothing_does_not(tmp_path: Path) -> None:
    cfg = config("faster_rcnn_se_r50_fpn.py")
    cfg.model.backbone = dict(type="SEResNet", depth=50)  # mmdet's default is norm_eval=True
    with pytest.raises(ValueError, match="frozen_stages=-1 and norm_eval=True"):
        check_frozen(cfg)
    cfg.model.backbone.norm_cfg = dict(type="GN", num_groups=32)
    check_frozen(cfg)
    cfg.model.backbone = dict(type="TimmBackbone", model_name="resnet18")
    check_frozen(cfg)
    cfg.model.backbone.norm_eval = True  # it takes no norm_cfg
    with pytest.raises(ValueError, match="frozen_stages=-1 and norm_eval=True"):
        check_frozen(cfg)
    cfg = config("ablations/table10_r2.py")
    cfg.model.init_cfg = dict(type="Pretrained", checkpoint="detector.pth")
    check_frozen(cfg)


def test_what_an_se_backbone_wraps_counts() -> None:
    cfg = config("ablations/table10_r2.py")
    plain = dict(type="ResNet", depth=18, frozen_stages=1, norm_eval=True)
    cfg.model.backbone = dict(type="SEBackbone", backbone=plain, units=r"layer\d\.\d\.bn2")
    with pytest.raises(ValueError, match="model.backbone.backbone.frozen_stages=-1 model.backbone"):
        check_frozen(cfg)
    weights = dict(type="Pretrained", checkpoint="a.pth")
    for part in (cfg.model.backbone, cfg.model.backbone.backbone):
        part.init_cfg = weights
        check_frozen(cfg)
        part.init_cfg = None


def test_what_is_not_registered_is_left_to_the_build() -> None:
    cfg = config("ablations/table10_r2.py")
    cfg.model.backbone = dict(type="mmabsent.VGG")
    check_frozen(cfg)


def test_resuming_counts_as_weights_only_where_there_is_a_checkpoint() -> None:
    cfg = config("ablations/table10_r2.py", resume=True)
    with pytest.raises(ValueError, match="would freeze random ones"):
        check_frozen(cfg)
    check_frozen(cfg, resumed="epoch_1.pth")
