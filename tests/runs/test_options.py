from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmdet
import pytest
from mmdet.engine.hooks import CheckInvalidLossHook
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs import options
from senet_mm.runs.options import check_options, merge_options


@pytest.fixture(scope="module")
def cfg() -> Config:
    return Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))


@pytest.mark.parametrize(
    "path",
    [
        "model.backbone.with_cp",
        "model.backbone.se_cfg.reduction",
        "model.backbone.init_cfg.prefix",
        "model.backbone.dcn.type",
        "model.backbone.norm_cfg.requires_grad",
        "model.roi_head.mask_head.type",
        "model.roi_head.bbox_head.loss_cls.class_weight",
        "model.test_cfg.rcnn.min_bbox_size",
        "model.data_preprocessor.batch_augments",
        "model.neck._delete_",
        "optim_wrapper.clip_grad.max_norm",
        "optim_wrapper.accumulative_counts",
        "optim_wrapper.paramwise_cfg.custom_keys.layer9.lr_mult",
        "optim_wrapper.paramwise_cfg.norm_decay_mult",
        "param_scheduler.0.end",
        "train_dataloader.pin_memory",
        "train_dataloader.dataset.metainfo.classes",
        "train_dataloader.dataset.filter_cfg.min_size",
        "train_dataloader.dataset.indices",
        "train_dataloader.dataset.pipeline.2.scale_factor",
        "test_evaluator.classwise",
        "default_hooks.ema.type",
        "default_hooks.checkpoint.save_best",
        "visualizer.vis_backends.0.init_kwargs.project",
        "env_cfg.cudnn_benchmark",
        "randomness.deterministic",
        "log_processor.window_size",
        "auto_scale_lr.enable",
        "find_unused_parameters",
        "model_wrapper_cfg.type",
        "sync_bn",
        "compile",
        "load_from",
        "work_dir",
    ],
)
def test_what_the_target_takes_is_accepted(cfg: Config, path: str) -> None:
    assert check_options(cfg, {path: "X" if path.endswith(("type", "_from", "_dir")) else 1}) == []


def test_hooks_may_be_classes(cfg: Config) -> None:
    cfg = copy.deepcopy(cfg)
    cfg.custom_hooks = [dict(type=CheckInvalidLossHook, interval=5)]
    assert check_options(cfg, {"custom_hooks.0.priority": "LOW"}) == []
    with pytest.raises(ValueError, match="did you mean custom_hooks.0.interval"):
        check_options(cfg, {"custom_hooks.0.intervall": 5})


def test_a_type_given_beside_decides_what_is_accepted(cfg: Config) -> None:
    given = {"model.neck.type": "SENeck", "model.neck.neck.type": "PAFPN"}
    assert check_options(cfg, given) == []
    assert check_options(cfg, {"model.backbone.type": "mmpretrain.Other"}) == []


def test_a_new_dict_may_be_given_whole(cfg: Config) -> None:
    assert check_options(cfg, {"model.backbone.dcn": dict(type="DCN", deform_groups=1)}) == []


def test_a_path_may_lead_through_what_is_none() -> None:
    held = dict(model=dict(backbone=dict(init_cfg=None), neck=None, head=[dict(loss=None)]), a=None)
    options = {
        "model.backbone.init_cfg.type": "Pretrained",
        "model.backbone.init_cfg.checkpoint": "a.pth",
        "model.neck.neck.type": "FPN",
        "model.neck.type": "SENeck",
        "model.head.0.loss.weight": 2,
        "a": 1,
    }
    for _ in range(2):  # once more changes nothing
        cfg = Config(copy.deepcopy(held))
        merge_options(cfg, options)
        held = cfg.to_dict()
        assert held == dict(
            model=dict(
                backbone=dict(init_cfg=dict(type="Pretrained", checkpoint="a.pth")),
                neck=dict(type="SENeck", neck=dict(type="FPN")),
                head=[dict(loss=dict(weight=2))],
            ),
            a=1,
        )
    merge_options(cfg, {"model.neck.start_level": 1})  # what is not None is kept
    assert cfg.model.neck == dict(type="SENeck", neck=dict(type="FPN"), start_level=1)


def mmdet_configs() -> list[Path]:
    """One config of each directory of mmdet's."""
    root = Path(mmdet.__file__).parent / ".mim" / "configs"
    folders = [folder for folder in sorted(root.iterdir()) if folder.name != "_base_"]
    return [path for folder in folders for path in sorted(folder.glob("*.py"))[:1]]


def test_every_key_of_mmdets_configs_would_be_accepted_if_it_were_not_held() -> None:
    seen, refused = set(), []
    for file in mmdet_configs()[::10]:
        try:
            held = Config.fromfile(file).to_dict()
        except (ImportError, OSError, TypeError):  # of a package that is not there
            continue
        for path, node, key in list(places(held)):
            place = (str(node.get("type")), path[-2:], key)
            if len(path) < 2 or key == "type" or place in seen:
                continue
            seen.add(place)
            value = node.pop(key)
            try:
                options._check_path(path, held, held)
            except ValueError as error:
                refused.append(str(error))
            node[key] = value
    assert len(seen) > 300 and not refused


def places(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield (*path, str(key)), node, key
            yield from places(value, (*path, str(key)))
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            yield from places(value, (*path, str(index)))


def test_what_timm_takes_is_accepted_and_what_was_meant_is_told() -> None:
    cfg = Config(dict(model=dict(backbone=dict(type="TimmBackbone", model_name="resnet18"))))
    assert check_options(cfg, {"model.backbone.stem_width": 32}) == []
    with pytest.raises(ValueError, match=r"did you mean model\.backbone\.frozen_stages\?"):
        check_options(cfg, {"model.backbone.frozen_stage": 1})
    cfg = Config(
        dict(model=dict(backbone=dict(type="SEResNet", depth=18, se_cfg=dict(reduction=8))))
    )
    given = dict(type="TimmAttention", name="cbam", rd_ratio=0.25)
    assert check_options(cfg, {f"model.backbone.se_cfg.{k}": v for k, v in given.items()}) == []
