"""A toy training that reports to other programs, and what mmengine's own log has of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner

from senet_mm.runs.hooks import add_hooks
from senet_mm.runs.training.logger_backends import LoggersHook
from senet_mm.runs.training.loggers import add_loggers, check_loggers, reported_end, settle_loggers
from tests.runs.training import toy_training as toy

AP = "score"  # what the toy's metric is called
ENTRIES = 20  # iterations, each logged


def config(work_dir: Path, *names: str, **options: object) -> Config:
    """A toy training, of which each iteration is logged, that reports to some programs too."""
    for name in names:
        pytest.importorskip(name)
    logger = dict(type="LoggerHook", interval=1)
    cfg = toy.toy_config(work_dir, default_hooks__logger=logger, **options)
    add_loggers(cfg, names)
    assert settle_loggers(cfg, training=True)
    check_loggers(cfg)
    add_hooks(cfg, [LoggersHook])
    return cfg


def logged(work_dir: Path) -> tuple[dict[int, float], dict[int, float]]:
    """Loss and metric by iteration, from mmengine's own log; the toy validates in epochs."""
    losses, scores = {}, {}
    for path in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for entry in map(json.loads, path.read_text().splitlines()):
            if "loss" in entry:
                losses[entry["step"]] = entry["loss"]
            else:
                scores[toy.BATCHES * entry["step"]] = entry[AP]
    return losses, scores


def compare(found: list[tuple[int, float]], expected: dict[int, float]) -> None:
    assert [step for step, _ in found] == [*expected]
    assert [value for _, value in found] == pytest.approx([*expected.values()], rel=1e-6)


def train_until(cfg: Config, iteration: int) -> None:
    """Train as the command line does, up to a failure."""
    toy.prepare_resume(cfg)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type="StopHook", at=iteration)]
    runner = Runner.from_cfg(cfg)
    with pytest.raises(toy.Stopped), reported_end(runner):
        runner.train()
