"""A checkpoint that commands can read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from senet_mm.compat.packaged_configs import config_path

SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"


@pytest.fixture(scope="session")
def se_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the SE detector of the embedded set, with random weights."""
    cfg = Config.fromfile(config_path(SE))
    init_default_scope("mmdet")
    path = tmp_path_factory.mktemp("checkpoint") / "epoch_1.pth"
    model = MODELS.build(cfg.model)
    torch.save({"meta": {"epoch": 1, "iter": 4}, "state_dict": model.state_dict()}, path)
    return path
