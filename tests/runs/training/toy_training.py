"""A training of a second that draws random numbers wherever a detector's does."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS
from mmengine.runner import Runner
from torch import Tensor, nn

from senet_mm.runs.hooks import add_hooks
from senet_mm.runs.training.resume import check_resume
from senet_mm.runs.training.resume_hook import ResumeHook
from senet_mm.runs.training.saving import WholeCheckpointHook
from senet_mm.runs.training.seeding import SeedHook

BATCHES = 5  # of two samples, in an epoch


@DATASETS.register_module()
class ToyDataset:
    """Samples that are flipped, scaled, shifted and mixed with another."""

    metainfo: dict[str, Any] = {}

    def __init__(self, random: bool = True) -> None:
        self.random = random

    def get_data_info(self, index: int) -> dict[str, int]:
        """What batches are grouped by."""
        return dict(width=1 + index % 2, height=2)

    def __len__(self) -> int:
        return 2 * BATCHES

    def _image(self, index: int) -> Tensor:
        return torch.linspace(-1, index, 3 * 8 * 8).reshape(3, 8, 8)

    def __getitem__(self, index: int) -> Tensor:
        image = self._image(index)
        if not self.random:
            return image
        if random.random() < 0.5:
            image = image.flip(-1)
        other = int(np.random.randint(len(self)))
        size = int(np.random.choice([4, 6, 8]))
        image = image[..., :size, :size] + self._image(other)[..., :size, :size]
        return nn.functional.pad(image + torch.rand(1), (0, 8 - size, 0, 8 - size))


@MODELS.register_module()
class ToyModel(BaseModel):
    """Convolution, batch norm, dropout; resizes batches as mmdet's preprocessors do."""

    def __init__(self, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor)
        self.conv, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 1)
        self.drop = nn.Dropout(0.5)
        self._input_size: tuple[int, int] | None = None

    def forward(self, inputs: list[Tensor], mode: str = "loss") -> Any:
        images = torch.stack(inputs)
        if self._input_size is not None:
            images = nn.functional.interpolate(images, self._input_size)
        if self.training and random.random() < 0.3:
            self._input_size = (random.randint(5, 9), 8)
        scores = self.head(self.drop(self.norm(self.conv(images)).relu()).mean((2, 3)))
        if mode == "loss":
            return dict(loss=(scores - torch.rand_like(scores)).square().mean())
        return [dict(score=float(score)) for score in scores]


@MODELS.register_module()
class ToyPreprocessor(nn.Module):
    """Hands over what the loader gives."""

    def forward(self, data: Any, training: bool = False) -> dict[str, Any]:
        return dict(inputs=data)


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """The mean score; better with every epoch."""

    def process(self, data_batch: Any, data_samples: list[dict]) -> None:
        self.results.extend(data_samples)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        return dict(score=float(np.mean([result["score"] for result in results])))


class Stopped(BaseException):
    """A run was stopped."""


@HOOKS.register_module()
class StopHook(Hook):
    """Stop a run before an iteration or a validation, as a kill does."""

    priority = "LOWEST"

    def __init__(self, at: int = -1, in_validation: int = -1) -> None:
        self.at, self.in_validation = at, in_validation

    def before_train_iter(self, runner: Runner, *args: Any, **options: Any) -> None:
        if runner.iter == self.at:
            raise Stopped

    def before_val_epoch(self, runner: Runner) -> None:
        if runner.iter == self.in_validation:
            raise Stopped


def toy_config(work_dir: Path, **options: Any) -> Config:
    """Config of the training.

    Args:
        work_dir: Its work dir.
        options: Others than the default, with dots as double underscores.
    """
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
    data = dict(type="ToyDataset")
    cfg = Config(
        dict(
            default_scope="mmengine",
            work_dir=str(work_dir),
            experiment_name=f"{work_dir}_{random.getrandbits(60)}",
            log_level="WARNING",
            model=dict(type="ToyModel", data_preprocessor=dict(type="ToyPreprocessor")),
            train_dataloader=dict(
                loader, dataset=data, sampler=dict(type="DefaultSampler", shuffle=True)
            ),
            val_dataloader=dict(
                loader,
                dataset=dict(data, random=False),
                sampler=dict(type="DefaultSampler", shuffle=False),
            ),
            val_cfg=dict(),
            val_evaluator=dict(type="ToyMetric"),
            train_cfg=dict(by_epoch=True, max_epochs=4, val_interval=2),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9)),
            param_scheduler=[dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=12)],
            default_hooks=dict(
                checkpoint=dict(type="CheckpointHook", interval=1, save_best="score", rule="less")
            ),
            custom_hooks=[dict(type="EMAHook")],
            randomness=dict(seed=3),
        )
    )
    options = {key.replace("__", "."): value for key, value in options.items()}
    cfg.merge_from_dict(copy.deepcopy(options))
    return cfg


def prepare_resume(cfg: Config) -> None:
    """What ``preflight.prepare`` does for a training, but for its checks of data and weights."""
    add_hooks(cfg, [SeedHook, WholeCheckpointHook, ResumeHook])
    check_resume(cfg)


def train(cfg: Config, **stop: int) -> Runner:
    """Train, up to where a :class:`StopHook` stops it."""
    prepare_resume(cfg)
    if stop:
        cfg.custom_hooks = [*cfg.custom_hooks, dict(type="StopHook", **stop)]
    runner = Runner.from_cfg(cfg)
    try:
        runner.train()
    except Stopped:
        assert stop
    finally:
        _end_workers(runner)
    return runner


def _end_workers(runner: Runner) -> None:
    """Left to the garbage collector, each worker would be waited for in vain, for seconds."""
    loop: Any = runner.train_loop
    for holder in (loop.dataloader, getattr(loop, "dataloader_iterator", None)):
        iterator = getattr(holder, "_iterator", None)
        if hasattr(iterator, "_shutdown_workers"):
            iterator._shutdown_workers()
