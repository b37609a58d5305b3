"""The data of a run, whatever its task."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from ..task import Task, task_of
from . import check, data_root, segmentation
from .classes import Trained
from .classification import check as of_classifier
from .classification import data_root as root_of_classifier

_CHECKS = {
    Task.DETECTION: check.check_data,
    Task.CLASSIFICATION: of_classifier.check_data,
    Task.SEGMENTATION: segmentation.check_data,
}
_ROOTS = {
    Task.DETECTION: data_root.set_data_root,
    Task.CLASSIFICATION: root_of_classifier.set_data_root,
    Task.SEGMENTATION: segmentation.set_data_root,
}


def check_data(
    cfg: Config, loaders: Sequence[str], *, pictures: bool, trained: Trained | None
) -> check.Findings:
    """Check all that some dataloaders read.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    return _CHECKS[task_of(cfg)](cfg, loaders, pictures=pictures, trained=trained)


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Point a config at another folder, in place.

    Raises:
        FileNotFoundError, ValueError: If it is not there, or not as the config needs it.
    """
    _ROOTS[task_of(cfg)](cfg, root)
