"""Work dirs of runs that were never started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs.data.data_root import set_data_root


def write_run(
    work_dir: Path,
    data_root: Path,
    *,
    split: str = "val",
    config: str = "demo/faster_rcnn_r18_fpn_shapes.py",
    change: Callable[[Config], None] | None = None,
) -> str:
    """Write a work dir whose test set is a split, and whose checkpoint is no net's; its path."""
    cfg = Config.fromfile(config_path(config))
    set_data_root(cfg, data_root)
    dataset = cfg.test_dataloader.dataset
    dataset.ann_file = f"annotations/instances_{split}2017.json"
    dataset.data_prefix.img = f"{split}2017/"
    if change is not None:
        change(cfg)
    work_dir.mkdir()
    cfg.dump(work_dir / Path(config).name)
    torch.save({"state_dict": {"a": torch.zeros(1)}}, work_dir / "epoch_1.pth")
    (work_dir / "last_checkpoint").write_text("epoch_1.pth")
    return str(work_dir)
