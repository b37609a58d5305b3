"""What is checked before a run, so that it fails in one line and not after hours."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner, find_latest_checkpoint
from torch import Tensor

from ..backbones.se_resnet import SEBackboneMixin
from ..coco.files import check_images, read_coco
from ..weights.init_cfg import pretrained_of
from ..weights.read.sources import fetch
from .data_root import annotation_path, datasets_of, image_dir, is_coco

_NAMES_CHECKPOINT = re.compile(r"(^|_)(checkpoint|ckpt|pretrained)$")


def check_data(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Check annotation files and images of the COCO data sets of some dataloaders.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    for loader in loaders:
        for dataset in datasets_of(cfg, loader):
            if not is_coco(dataset):
                continue
            path = annotation_path(dataset)
            if read_coco(path).num_annotations == 0 and loader == "train_dataloader":
                raise ValueError(f"{path} has no annotation: there is nothing to train on")
            check_images(path, image_dir(dataset))


def check_checkpoints(cfg: Config) -> None:
    """Read every checkpoint that a training will load, before mmengine does.

    So that a file that would run code, is damaged or is missing stops the run
    in one line. mmengine then reads its part of them in its own way.

    Raises:
        As :func:`check_checkpoint`.
    """
    for source, ours in _checkpoints_in(cfg.model):
        check_checkpoint(source, by_mmengine=not ours)
    load_from = cfg.get("load_from")
    if not load_from and cfg.get("resume"):
        load_from = find_latest_checkpoint(cfg.work_dir)
    if load_from:
        check_checkpoint(load_from)


def check_checkpoint(source: str, *, by_mmengine: bool = True) -> None:
    """Read a checkpoint, to see whether it can be used.

    Args:
        source: A file, URL or name, see :func:`senet_mm.weights.read.sources.fetch`.
        by_mmengine: Whether mmengine will load it, and not a backbone of ours.

    Raises:
        FileNotFoundError, ConnectionError, ImportError: If it cannot be read.
        ValueError: If it is no checkpoint, holds more than tensors and plain
            data, or has a format that mmengine does not read.
    """
    fetch(source)
    if by_mmengine and source.endswith(".safetensors"):
        raise ValueError(
            f"mmengine, which loads {source} here, does not read safetensors: convert it once, "
            f"python tools/convert_weights.py {source} OUT.pth"
        )


def _checkpoints_in(part: Any) -> Iterator[tuple[str, bool]]:
    """The checkpoints anywhere in a model's config, and whether a backbone of ours loads them."""
    if isinstance(part, (list, tuple)):
        for item in part:
            yield from _checkpoints_in(item)
    if not isinstance(part, Mapping):
        return
    for key, value in part.items():
        # pretrained, and what distillation and tracking call teacher_ckpt and checkpoint
        if isinstance(value, str) and _NAMES_CHECKPOINT.search(str(key)):
            yield value, False
        elif key == "init_cfg" and _is_ours(part.get("type")):
            listed = [value] if isinstance(value, Mapping) else value or []
            pretrained = pretrained_of(value)
            for cfg in pretrained:
                yield cfg["checkpoint"], True
            yield from _checkpoints_in([cfg for cfg in listed if cfg not in pretrained])
        else:
            yield from _checkpoints_in(value)


def _is_ours(kind: Any) -> bool:
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, SEBackboneMixin)


def check_frozen(cfg: Config) -> None:
    """Refuse a training run that would freeze random weights.

    mmdet's configs freeze the stem and the first stage and keep batch norm's
    statistics fixed, which is right for pretrained weights and cripples a
    network without.

    Raises:
        ValueError: If the backbone freezes something and no weights are given.
    """
    backbone = cfg.model.get("backbone") or {}
    if any(
        part.get("pretrained") or pretrained_of(part.get("init_cfg"))
        for part in (cfg.model, backbone)
    ):
        return
    if cfg.get("load_from") or (cfg.get("resume") and find_latest_checkpoint(cfg.work_dir)):
        return
    frozen_stages = _option(backbone, "frozen_stages", -1)
    norm = str((_option(backbone, "norm_cfg", None) or {}).get("type"))
    # norm_eval acts on batch norm alone
    norm_eval = "BN" in norm and _option(backbone, "norm_eval", False)
    if frozen_stages < 0 and not norm_eval:
        return
    raise ValueError(
        f"the backbone has no pretrained weights, but frozen_stages={frozen_stages} and "
        f"norm_eval={norm_eval} would freeze random ones. Give weights (--cfg-options "
        "model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=PATH), or "
        "train from scratch (--cfg-options model.backbone.frozen_stages=-1 "
        "model.backbone.norm_eval=False)"
    )


def _option(backbone: Mapping, name: str, absent: object) -> Any:
    """An option of a backbone: what the config says, else what its class defaults to."""
    if name in backbone or "type" not in backbone:
        return backbone.get(name, absent)
    kind = backbone["type"]
    for parent in (MODELS.get(kind) if isinstance(kind, str) else kind).__mro__:
        parameter = inspect.signature(parent.__init__).parameters.get(name)
        if parameter is not None:
            return parameter.default
    return absent


def check_fit(weights: Mapping[str, Tensor], model: Mapping[str, Tensor], name: str) -> None:
    """Check that a state dict has every tensor of a model, in its shape.

    mmengine loads what fits and only logs the rest, so a checkpoint of another
    architecture would be evaluated with random weights.

    Raises:
        ValueError: Counting and naming the tensors that are missing or differ.
    """
    weights = {key.removeprefix("module."): tensor for key, tensor in weights.items()}
    missing = [key for key in model if key not in weights]
    differ = [key for key in model if key in weights and weights[key].shape != model[key].shape]
    if missing or differ:
        first = f"{missing[0]} is missing" if missing else _difference(differ[0], weights, model)
        raise ValueError(
            f"checkpoint {name} does not fit the config: of {len(model)} tensors {len(missing)} "
            f"are missing and {len(differ)} have another shape ({first}). Use the config that was "
            "saved with the checkpoint"
        )


def _difference(key: str, weights: Mapping[str, Tensor], model: Mapping[str, Tensor]) -> str:
    return f"{key} is {tuple(weights[key].shape)}, expected {tuple(model[key].shape)}"


@HOOKS.register_module()
class CheckFitHook(Hook):
    """Refuse a checkpoint that leaves tensors of the model unset (see :func:`check_fit`)."""

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Called by mmengine between reading a checkpoint and copying its tensors."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        weights = checkpoint.get("state_dict", checkpoint)
        check_fit(weights, model.state_dict(), str(runner._load_from))


def require_fit(cfg: Config) -> None:
    """Have the runner of a config refuse a checkpoint that does not fit, as a whole."""
    watch_weights(cfg)
    cfg.custom_hooks.append(dict(type="mmengine.CheckFitHook"))


def watch_weights(cfg: Config) -> None:
    """Have the runner of a config check its backbone's weights (see :class:`WeightsHook`)."""
    hook = dict(type="mmengine.WeightsHook")
    others = [
        other for other in cfg.get("custom_hooks") or [] if "WeightsHook" not in other["type"]
    ]
    cfg.custom_hooks = [*others, hook]
