"""Types and options of hooks, data sets, metrics and optimization: misspelt in a config file."""

from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.parts import check_parts

MISSPELT = "in" + "tervla"  # in one piece it would stand in code that may read it: here


@pytest.fixture
def cfg() -> Config:
    return Config.fromfile(config_path("demo/faster_rcnn_se_r18_fpn_shapes.py"))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "name", ["demo/faster_rcnn_se_r18_fpn_shapes.py", "mask_rcnn_se_r50_fpn.py"]
)
def test_what_is_right_passes(name: str, training: bool) -> None:
    check_parts(Config.fromfile(config_path(name)), training=training)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            dict(custom_hooks=[dict(type="WeightHook")]),
            "custom_hooks.0.type='WeightHook' is not registered; the nearest are WeightsHook",
        ),
        (
            {f"default_hooks.checkpoint.{MISSPELT}": 2},
            f"default_hooks.checkpoint: CheckpointHook takes no '{MISSPELT}'; .* interval",
        ),
        ({"optim_wrapper.optimizer.type": "SDG"}, "optimizer.type='SDG' is not .* SGD"),
        (
            {"optim_wrapper.optimizer.weight_decy": 0},
            "optimizer: AdamW takes no 'weight_decy'; .*weight_decay",
        ),
        ({"optim_wrapper.clip_gard": {}}, "optim_wrapper: OptimWrapper takes no 'clip_gard'"),
        (
            dict(param_scheduler=[dict(type="MultiStepLR", milestone=[1])]),
            "param_scheduler.0: MultiStepLR takes no 'milestone'; the nearest are milestones",
        ),
        (
            dict(param_scheduler=dict(type="MultiStep", milestones=[1])),
            "param_scheduler.type='MultiStep' is not registered; .*MultiStepLR",
        ),
        ({"train_dataloader.batchsize": 2}, "train_dataloader: DataLoader takes no 'batchsize'"),
        ({"train_dataloader.sampler.type": "DefaultSmpler"}, "sampler.type='DefaultSmpler'"),
        ({"train_dataloader.dataset.ann_fil": "x"}, "CocoDataset takes no 'ann_fil'; .*ann_file"),
        ({"val_dataloader.dataset.type": "CocoDatset"}, "val_dataloader.dataset.type='CocoDatset'"),
        (
            {"train_dataloader.dataset.pipeline.0.type": "LoadImageFromFil"},
            "train_dataloader.dataset.pipeline.0.type='LoadImageFromFil' .* LoadImageFromFile",
        ),
        (
            {"train_dataloader.dataset.pipeline.2.keep_ratoi": 1},
            "pipeline.2: Resize takes no 'keep_ratoi'; .*keep_ratio",
        ),
        ({"val_evaluator.ann_fil": "x"}, "val_evaluator: CocoMetric takes no 'ann_fil'"),
        (
            {"model.backbone.init_cfg": "net.pth"},
            r"backbone.init_cfg='net.pth': expected .* dict\(type='Pretrained', checkpoint=PATH\)",
        ),
        (
            {"model.roi_head.bbox_head.init_cfg": [dict(checkpoint="net.pth")]},
            r"model.roi_head.bbox_head.init_cfg={'checkpoint': 'net.pth'}: expected a dict with a",
        ),
        ({"val_evaluator.zzz": 1}, "CocoMetric takes no 'zzz'; it takes ann_file, .*metric"),
    ],
)
def test_what_is_misspelt(cfg: Config, options: dict[str, Any], told: str) -> None:
    for path, value in options.items():
        if "." in path:
            cfg.merge_from_dict({path: value})
        else:
            cfg[path] = value
    with pytest.raises(ValueError, match=told) as caught:
        check_parts(cfg, training=True)
    assert "\n" not in str(caught.value)


def test_what_is_handed_on_is_left_to_those_who_take_it(cfg: Config) -> None:
    cfg.train_dataloader.dataset.of_my_own = 1  # CocoDataset hands **kwargs on
    cfg.default_hooks.checkpoint.of_my_own = 1
    check_parts(cfg, training=True)


def test_inside_a_wrapper(cfg: Config) -> None:
    inner = cfg.train_dataloader.dataset.to_dict() | dict(ann_fil="x")
    cfg.train_dataloader.dataset = dict(
        type="RepeatDataset", times=2, dataset=dict(type="ConcatDataset", datasets=[inner])
    )
    with pytest.raises(ValueError, match=r"dataset\.dataset\.datasets\.0: CocoDataset takes no"):
        check_parts(cfg, training=True)


def test_what_a_run_does_not_build_is_not_looked_at(cfg: Config) -> None:
    cfg.optim_wrapper.optimizer.type = "SDG"
    check_parts(cfg, training=False)
