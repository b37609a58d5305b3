"""Test-time augmentation, as the tools of mmdet and mmpretrain have it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from .data.datasets import datasets_of
from .task import Task, task_of

_MODELS: dict[Task, dict[str, Any]] = {
    Task.DETECTION: dict(
        type="DetTTAModel",
        tta_cfg=dict(nms=dict(type="nms", iou_threshold=0.5), max_per_img=100),
    ),
    Task.CLASSIFICATION: dict(type="mmpretrain.AverageClsScoreTTA"),
}
_KEPT = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "flip", "flip_direction")
# mmdet's default: each image as it is and mirrored
_FLIP = dict(
    type="TestTimeAug",
    transforms=[
        [dict(type="RandomFlip", prob=1.0), dict(type="RandomFlip", prob=0.0)],
        [dict(type="PackDetInputs", meta_keys=_KEPT)],
    ],
)


def use_tta(cfg: Config) -> None:
    """Have a test augment its images by ``tta_pipeline`` and merge by ``tta_model``, in place.

    Without a ``tta_model``, scores of classes are averaged and boxes are merged by NMS. Without a
    ``tta_pipeline``, a detector sees each image as it is and mirrored. mmengine writes the config
    that it tests into the work dir, where it would replace the training's: it gets a folder there.

    Raises:
        ValueError: If the config does not say what is needed, or makes masks, which mmdet's model
            does not merge.
    """
    model, pipeline = _parts(cfg)
    if model is None or pipeline is None:
        lacks = "tta_model, which merges results" if model is None else "tta_pipeline"
        raise ValueError(
            f"--tta: the config {cfg.filename or ''} has no {lacks}: add it, the pipeline with "
            "dict(type='TestTimeAug', transforms=[...]) at its end"
        )
    if str(model.get("type")).endswith("DetTTAModel") and _makes_masks(cfg.model):
        raise ValueError(
            f"--tta: mmdet's DetTTAModel merges boxes, and the config {cfg.filename or ''} makes "
            "masks too: leave --tta out, or set a tta_model that merges masks"
        )
    for dataset in datasets_of(cfg, "test_dataloader"):
        dataset.pipeline = copy.deepcopy(pipeline)
    cfg.model = ConfigDict(**model, module=cfg.model)
    cfg.work_dir = str(Path(cfg.work_dir) / "tta")


def describe_tta(cfg: Config) -> str:
    """What :func:`use_tta` would have a test of a config do, in a phrase."""
    model, pipeline = _parts(cfg)
    views = math.prod(
        len(choices)
        for transform in pipeline or ()
        if _name(transform["type"]) == "TestTimeAug"
        for choices in transform["transforms"]
    )
    return f"{views} views of each picture, merged by {_name((model or {}).get('type'))}"


def _name(kind: object) -> str:
    """Of a type, which a config gives by its name or as a class."""
    return str(getattr(kind, "__name__", kind)).rpartition(".")[2]


def _parts(cfg: Config) -> tuple[Mapping[str, Any] | None, list[Any] | None]:
    """The model that merges and the pipeline that augments, each None where there is none."""
    task = task_of(cfg)
    model, pipeline = cfg.get("tta_model") or _MODELS.get(task), cfg.get("tta_pipeline")
    dataset = next(iter(datasets_of(cfg, "test_dataloader")), None)
    if pipeline is None and task is Task.DETECTION and dataset is not None:
        pipeline = [*copy.deepcopy(dataset.pipeline)[:-1], _FLIP]
    return model, pipeline


def _makes_masks(model: Mapping[str, Any]) -> bool:
    return bool(model.get("mask_head") or (model.get("roi_head") or {}).get("mask_head"))
