"""What is checked before a run, so that it fails in one line and not after hours."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmdet.registry import MODELS
from mmengine.config import Config

from ..coco.annotations import read_annotations
from ..coco.images import check_images
from ..io.files import make_writable
from ..weights.init_cfg import pretrained_of
from .checkpoints import check_checkpoint, named_checkpoints, resumed_checkpoint
from .datasets import annotation_path, datasets_of, image_dir, is_coco
from .hooks import add_hooks
from .processes import check_on_each_node, start_processes

Task = Literal["train", "test", "infer"]
_LOADERS: dict[Task, tuple[str, ...]] = {
    "train": ("train_dataloader", "val_dataloader"),
    "test": ("test_dataloader",),
    "infer": (),
}


def prepare(cfg: Config, task: Task) -> None:
    """Make a run ready, or stop it before anything is computed; twice does no more than once.

    Joins the processes of the run, adds our hooks to the config, and checks
    checkpoints, data sets and the work dir, in one process of each node.

    Args:
        cfg: The config, with ``work_dir``, and in ``load_from`` what is tested.
        task: ``train``, ``test`` (of a comparison and of gates too), or
            ``infer``, which reads no data set and has no hooks.

    Raises:
        FileNotFoundError, ValueError, OSError, ConnectionError, ImportError:
            Naming what is missing or wrong.
        StoppedElsewhere: If another process found that.
    """
    start_processes(cfg)
    if task != "infer":  # mmdet's inferencer has no hooks
        add_hooks(cfg, complete=task == "test" or bool(cfg.get("resume")))
    check_on_each_node(lambda: _check(cfg, task))


def _check(cfg: Config, task: Task) -> None:
    if task == "train":
        check_frozen(cfg)
    check_checkpoints(cfg, task)  # before the data set is read
    check_data(cfg, _LOADERS[task])
    folder = Path(cfg.work_dir)
    make_writable(folder, f"the work dir {folder}", "choose one with --work-dir or --out-dir")


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
            if read_annotations(path).num_annotations == 0 and loader == "train_dataloader":
                raise ValueError(f"{path} has no annotation: there is nothing to train on")
            check_images(path, image_dir(dataset))


def check_checkpoints(cfg: Config, task: Task) -> None:
    """Read every checkpoint that a run will load, before mmengine does.

    Raises:
        FileNotFoundError, ConnectionError, ImportError, ValueError: As
            :func:`senet_mm.runs.checkpoints.check_checkpoint`.
    """
    for checkpoint in named_checkpoints(cfg):
        if task == "train" or not checkpoint.initializes:
            check_checkpoint(checkpoint)


def check_frozen(cfg: Config) -> None:
    """Refuse a training run that would freeze random weights.

    mmdet's configs freeze the stem and the first stage and keep batch norm's
    statistics fixed, which is right for pretrained weights and cripples a
    network without.

    Raises:
        ValueError: If the backbone freezes something and no weights are given.
    """
    backbone = cfg.model.get("backbone", {})
    if any(
        part.get("pretrained") or pretrained_of(part.get("init_cfg"))
        for part in (cfg.model, backbone)
    ):
        return
    if cfg.get("load_from") or resumed_checkpoint(cfg):
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
