"""Small real runners of mmengine: a detector, and a training that ends where it would begin."""

from __future__ import annotations

import itertools
from pathlib import Path

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

_OFF = ("timer", "logger", "param_scheduler", "checkpoint", "sampler_seed", "runtime_info")
_numbers = itertools.count()


class Seen(Hook):
    """Keeps the checkpoint that comes to mmengine after our hooks."""

    priority = "LOWEST"
    checkpoint: dict

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self.checkpoint = checkpoint


class Net(BaseModel):
    """A model with any backbone."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, inputs: object, data_samples: object = None, mode: str = "loss") -> dict:
        return {}


def make_runner(
    cfg: Config, work_dir: Path, *hooks: object, model: nn.Module | None = None
) -> Runner:
    """A runner that trains no epoch: it initializes, loads, and calls its hooks."""
    return Runner(
        model=model or cfg.model,
        work_dir=str(work_dir),
        train_dataloader=DataLoader([0]),
        train_cfg=dict(by_epoch=True, max_epochs=0),
        optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1)),
        data_preprocessor=cfg.get("data_preprocessor"),
        default_hooks=dict.fromkeys(_OFF),
        custom_hooks=list(hooks),
        load_from=cfg.get("load_from"),
        default_scope="mmdet",
        experiment_name=f"runner_{next(_numbers)}",
        log_level="ERROR",
        cfg=cfg,
    )
