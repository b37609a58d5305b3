"""The config of a run: read, and changed as a command line says."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..compat.packaged_configs import PREFIX, config_path
from .config_file import read_config_file
from .data.annotation_copies import restore
from .data.by_task import set_data_root
from .options import check_options, merge_options
from .task import task_of


def read_config(name: str) -> Config:
    """Read a config file or a packaged config (``senet_mm::NAME``).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read, or has no ``model``.
    """
    file = config_path(name) if name.startswith(PREFIX) else Path(name)
    if not file.is_file():
        raise FileNotFoundError(f"config {name} not found")
    cfg = read_config_file(file, name)
    restore(cfg)
    return cfg


def load_config(
    name: str,
    *,
    work_dir: str | None = None,
    data_root: str | None = None,
    seed: int | None = None,
    launcher: str = "none",
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config and change it; what is None stays as the config has it.

    Args:
        name: As for :func:`read_config`.
        work_dir: Where logs and results go; by default ``work_dirs/CONFIG``.
        data_root: See :func:`senet_mm.runs.data.by_task.set_data_root`.
        seed: Of weights, order and augmentation.
        launcher: What has started the processes of the run, as mmengine names it.
        options: Settings by their path (``model.backbone.depth``); they win over all others.

    Raises:
        FileNotFoundError, ValueError: As :func:`read_config` and
            :func:`senet_mm.runs.data.by_task.set_data_root`.
        ImportError: If the package of its task is not there.
    """
    options = dict(options or {})
    cfg = read_config(name)
    task_of(cfg).check_installed()
    for note in check_options(cfg, options):
        print(f"note: {note}", file=sys.stderr)
    cfg.launcher = launcher
    if data_root is not None:
        # first the options too: they may name the files to look for below the root
        merge_options(cfg, options)
        set_data_root(cfg, data_root)
    if seed is not None:
        cfg.randomness = dict(seed=seed)
    cfg.work_dir = work_dir or cfg.get("work_dir") or f"work_dirs/{Path(cfg.filename).stem}"
    merge_options(cfg, options)
    return cfg


def inference_config(cfg: Config, checkpoint: str | Path, work_dir: str | Path) -> Config:
    """A copy of a config, for a test of a checkpoint by this process alone.

    Args:
        cfg: The config, also of a run that was trained on several GPUs.
        checkpoint: What to test.
        work_dir: Where mmengine writes its log.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = str(work_dir)
    cfg.load_from, cfg.resume = str(checkpoint), False
    cfg.launcher = "none"
    cfg.pop("model_wrapper_cfg", None)
    cfg.experiment_name = f"test_{Path(work_dir).resolve()}"  # mmengine keeps its state by it
    return cfg
