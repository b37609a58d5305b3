"""What is checked before a run, so that it fails in one line and not after hours."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mmengine.config import Config
from mmengine.hooks import Hook

from ..coco.annotations import read_annotations
from ..coco.images import check_images
from ..io.files import make_writable
from .checkpoints import check_checkpoints
from .datasets import annotation_path, datasets_of, image_dir, is_coco
from .finite import FiniteHook
from .frozen import check_frozen
from .hooks import CheckFitHook, WeightsHook, add_hooks
from .processes import check_on_each_node, start_processes
from .resume import check_resume
from .resume_hook import ResumeHook
from .saving import WholeCheckpointHook
from .seeding import SeedHook
from .settings import check_settings

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
    if task != "infer":  # mmdet's inferencer has no hooks
        add_hooks(cfg, _hooks(cfg, task))
    start_processes(cfg)
    check_on_each_node(lambda: _check(cfg, task))


def _hooks(cfg: Config, task: Task) -> list[type[Hook]]:
    training = [SeedHook, FiniteHook, WholeCheckpointHook, ResumeHook] if task == "train" else []
    # a training may start from a classifier's weights, which lack the detector's other parts
    complete = [CheckFitHook] if task == "test" or cfg.get("resume") else []
    return [*training, WeightsHook, *complete]


def _check(cfg: Config, task: Task) -> None:
    if task != "infer":
        check_settings(cfg, training=task == "train")
    if task == "train":
        check_resume(cfg)  # before what reads the checkpoint
        check_frozen(cfg)
    check_checkpoints(cfg, initialize=task == "train")  # before the data set is read
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
