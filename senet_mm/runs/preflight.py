"""What is checked before a run, so that it fails in one line and not after hours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config
from mmengine.hooks import Hook

from ..io.files import make_writable
from ..weights.read.sources import meta_of
from .channels import check_channels
from .checkpoints import check_checkpoints
from .data.annotation_copies import apply, restore
from .data.by_task import check_data
from .data.check import settle
from .data.class_names import classes_of_meta
from .data.classes import Trained
from .frozen import check_frozen
from .hooks import CheckFitHook, WeightsHook, add_hooks
from .monitors import check_monitors
from .padding import check_padding
from .parts import check_parts
from .processes import check_on_each_node, start_processes
from .settings import check_settings
from .training.finite import FiniteHook
from .training.logger_backends import LoggersHook
from .training.loggers import check_loggers, settle_loggers
from .training.resume import check_resume
from .training.resume_hook import ResumeHook
from .training.saving import WholeCheckpointHook
from .training.seeding import SeedHook

Mode = Literal["train", "test", "infer"]
_LOADERS: dict[Mode, tuple[str, ...]] = {
    "train": ("train_dataloader", "val_dataloader"),
    "test": ("test_dataloader",),
    "infer": (),
}


def prepare(cfg: Config, mode: Mode, *, pictures: bool = True) -> None:
    """Make a run ready, or stop it before anything is computed; twice does no more than once.

    Joins the processes of the run, adds our hooks to the config, and checks
    checkpoints, data sets and the work dir, in one process of each node.

    Args:
        cfg: The config, with ``work_dir``, and in ``load_from`` what is tested.
        mode: ``train``, ``test`` (of a comparison and of gates too), or
            ``infer``, which reads no data set and has no hooks.
        pictures: Whether to read the headers of the data sets' pictures.

    Raises:
        FileNotFoundError, ValueError, OSError, ConnectionError, ImportError:
            Naming what is missing or wrong.
        StoppedElsewhere: If another process found that.
    """
    logged = settle_loggers(cfg, training=mode == "train")
    if mode != "infer":  # mmdet's inferencer has no hooks
        add_hooks(cfg, [*_hooks(cfg, mode), *([LoggersHook] if logged else [])])
    start_processes(cfg)
    restore(cfg)
    apply(cfg, check_on_each_node(lambda: _check(cfg, mode, pictures)))


def _hooks(cfg: Config, mode: Mode) -> list[type[Hook]]:
    training = [SeedHook, FiniteHook, WholeCheckpointHook, ResumeHook] if mode == "train" else []
    # a training may start from a classifier's weights, which lack the detector's other parts
    complete = [CheckFitHook] if mode == "test" or cfg.get("resume") else []
    return [*training, WeightsHook, *complete]


def _check(cfg: Config, mode: Mode, pictures: bool) -> Mapping[str, Any]:
    if mode != "infer":
        check_settings(cfg, training=mode == "train")
        check_parts(cfg, training=mode == "train")
        check_channels(cfg)
    check_padding(cfg)
    resumed = None
    if mode == "train":
        check_loggers(cfg)
        check_monitors(cfg)
        resumed = check_resume(cfg)  # before what reads the checkpoint
        check_frozen(cfg, resumed=resumed)
    # before the data set is read
    check_checkpoints(cfg, initialize=mode == "train", resumed=resumed)
    folder = Path(cfg.work_dir)
    make_writable(folder, f"the work dir {folder}", "choose one with --work-dir or --out-dir")
    source = resumed or cfg.get("load_from")
    # a training that starts from weights may have other classes
    trained = _trained(source, must_agree=mode != "train" or resumed is not None)
    return settle(check_data(cfg, _LOADERS[mode], pictures=pictures, trained=trained), folder)


def _trained(source: str | None, *, must_agree: bool) -> Trained | None:
    """The classes of the checkpoint that a run loads or resumes, if it tells them."""
    classes = classes_of_meta(meta_of(source)) if source else None
    return Trained(str(source), classes, must_agree) if classes else None
