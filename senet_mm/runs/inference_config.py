"""The config of a run over the test set by one process."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

from .preflight import check_checkpoint, require_fit


def inference_config(cfg: Config, checkpoint: str | Path, work_dir: str | Path) -> Config:
    """A copy of a config, for a test of a checkpoint by this process alone.

    Args:
        cfg: The config, also of a run that was trained on several GPUs.
        checkpoint: What to test; the runner refuses it if it does not fit.
        work_dir: Where mmengine writes its log.

    Raises:
        FileNotFoundError, ValueError: If the checkpoint cannot be read, without running what is
            in it.
    """
    check_checkpoint(str(checkpoint))
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = str(work_dir)
    cfg.load_from, cfg.resume = str(checkpoint), False
    cfg.launcher = "none"
    cfg.pop("model_wrapper_cfg", None)
    cfg.experiment_name = f"test_{Path(work_dir).resolve()}"  # mmengine keeps its state by it
    require_fit(cfg)
    return cfg
