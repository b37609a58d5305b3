"""What is checked before a run, so that it fails in one line and not after hours."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS
from mmengine.runner import CheckpointLoader, Runner
from torch import Tensor

from .coco_files import check_images, read_coco
from .data_root import annotation_path, datasets_of


def check_data(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Check annotation files and images of the COCO data sets of some dataloaders.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    for loader in loaders:
        for dataset in datasets_of(cfg, loader):
            if not str(dataset.type).endswith("CocoDataset"):
                continue
            path = annotation_path(dataset)
            if read_coco(path).num_annotations == 0 and loader == "train_dataloader":
                raise ValueError(f"{path} has no annotation: there is nothing to train on")
            check_images(path, Path(dataset.get("data_root") or "") / dataset.data_prefix.img)


def check_frozen(cfg: Config) -> None:
    """Refuse a training run that would freeze random weights.

    mmdet's configs freeze the stem and the first stage and keep batch norm's
    statistics fixed, which is right for pretrained weights and cripples a
    network without.

    Raises:
        ValueError: If the backbone freezes something and no weights are given.
    """
    backbone = cfg.model.get("backbone", {})
    init_cfg = backbone.get("init_cfg") or {}
    init_cfgs = init_cfg if isinstance(init_cfg, (list, tuple)) else [init_cfg]
    pretrained = backbone.get("pretrained") or any(
        cfg_.get("type") == "Pretrained" and cfg_.get("checkpoint") for cfg_ in init_cfgs
    )
    frozen_stages, norm_eval = backbone.get("frozen_stages", -1), backbone.get("norm_eval", False)
    if (
        pretrained
        or cfg.get("load_from")
        or cfg.get("resume")
        or (frozen_stages < 0 and not norm_eval)
    ):
        return
    raise ValueError(
        f"the backbone has no pretrained weights, but frozen_stages={frozen_stages} and "
        f"norm_eval={norm_eval} would freeze random ones. Give weights (--cfg-options "
        "model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=PATH), or "
        "train from scratch (--cfg-options model.backbone.frozen_stages=-1 "
        "model.backbone.norm_eval=False)"
    )


def read_checkpoint(path: str) -> dict:
    """Read a checkpoint onto the CPU: a file, or a URL or scheme that mmengine knows.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is truncated or no checkpoint.
    """
    try:
        checkpoint = CheckpointLoader.load_checkpoint(path, map_location="cpu")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"checkpoint {path} not found") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"{path} is truncated or no checkpoint: {reason}") from error
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f"{path} is no checkpoint: it holds a {type(checkpoint).__name__}")
    return checkpoint


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
