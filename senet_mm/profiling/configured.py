"""The nets of configs whose speed is compared."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.config import Config
from torch import nn

from ..runs.config import read_config
from ..runs.task import Task, expect_task
from .complexity import build_backbone, build_detector
from .variants import open_gates


def build_configured(
    path: str, part: str, *, baseline: str, frozen: bool, seed: int = 0
) -> nn.Module:
    """Build the net of a config with seeded random weights.

    What has the same name and shape in the baseline has its weights, and gates
    are open: a detector's time depends on what it proposes.

    Args:
        path: The config.
        part: ``backbone`` or ``detector``.
        baseline: The config that it is compared with.
        frozen: Whether batch norm of the backbone has fixed statistics and its first stages are
            frozen as the config says; else nothing is.
        seed: Seed of the weights.
    """
    torch.manual_seed(seed)
    plain, net = (_build(read_config(name), part, frozen) for name in (baseline, path))
    own = net.state_dict()
    shared = {
        key: value
        for key, value in plain.state_dict().items()
        if key in own and own[key].shape == value.shape
    }
    net.load_state_dict(shared, strict=False)
    open_gates(net)
    return net


def _build(cfg: Config, part: str, frozen: bool) -> nn.Module:
    if part != "backbone":
        expect_task(cfg, Task.DETECTION, f"senet-mm benchmark --parts {part}")
    backbone: Any = cfg.model.backbone
    while "backbone" in backbone:  # SEBackbone's own
        backbone = backbone.backbone
    backbone.norm_eval = frozen
    if not frozen:
        backbone.frozen_stages = -1
    return build_backbone(cfg) if part == "backbone" else build_detector(cfg)
