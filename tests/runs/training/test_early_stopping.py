from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook

from senet_mm.runs.training.early_stopping import has_stopped
from senet_mm.runs.training.resume_hook import last_validation
from senet_mm.weights.read.file import read_file
from tests.runs.training import toy_training as toy

pytestmark = pytest.mark.slow
ITERATIONS = 5  # of an epoch


def config(work_dir: Path, patience: int, **options: Any) -> Config:
    """A toy training of six epochs, each validated, in which nothing is ever good enough."""
    hook = dict(type="EarlyStoppingHook", monitor="score", rule="less", min_delta=9.0)
    length = dict(train_cfg__max_epochs=6, train_cfg__val_interval=1)
    cfg = toy.toy_config(work_dir, **length, **options)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(hook, patience=patience)]
    return cfg


def first_score(work_dir: Path) -> float:
    """What the first validation of a training found."""
    path = min(work_dir.glob("*/vis_data/scalars.json"))
    entries = map(json.loads, path.read_text().splitlines())
    return next(entry["score"] for entry in entries if "score" in entry)


@pytest.mark.parametrize("by_epoch", [True, False])
def test_what_stops_between_checkpoints_is_saved(tmp_path: Path, by_epoch: bool) -> None:
    checkpoint = dict(_delete_=True, type="CheckpointHook", interval=100, by_epoch=by_epoch)
    cfg = config(tmp_path, 2, default_hooks__checkpoint=checkpoint)
    if not by_epoch:
        cfg.train_cfg = dict(by_epoch=False, max_iters=30, val_interval=ITERATIONS)
    runner = toy.train(cfg)
    # the first validation is the best, and two more are no better
    assert runner.iter == 3 * ITERATIONS
    (path,) = tmp_path.glob("*.pth")
    assert path.name == ("epoch_3.pth" if by_epoch else "iter_15.pth")
    assert Path((tmp_path / "last_checkpoint").read_text()) == path
    saved = read_file(path)
    assert saved["meta"]["iter"] == 15 and saved["meta"]["epoch"] == (3 if by_epoch else 0)
    weights = runner.model.state_dict()
    averaged = saved["ema_state_dict"]  # mmengine keeps the trained weights there
    assert all(torch.equal(averaged[f"module.{key}"], weights[key]) for key in weights)


def test_a_training_that_has_stopped_stays_so_until_it_may_go_on(tmp_path: Path) -> None:
    toy.train(config(tmp_path, 2))
    files = sorted(tmp_path.glob("*.pth"))
    cfg = config(tmp_path, 2, resume=True)
    iteration, counted = last_validation(tmp_path)
    assert iteration == 15 and has_stopped(cfg, counted)
    runner = toy.train(cfg, at=0, in_validation=15)  # neither trains nor validates
    assert runner.iter == 15 and sorted(tmp_path.glob("*.pth")) == files
    cfg = config(tmp_path, 3, resume=True)
    assert not has_stopped(cfg, counted)
    assert toy.train(cfg).iter == 20


@pytest.mark.parametrize(
    "stop", [dict(in_validation=10), dict(at=12)], ids=["validating", "training"]
)
def test_a_resumed_training_stops_where_the_uninterrupted_does(
    tmp_path: Path, stop: dict[str, int]
) -> None:
    toy.train(config(tmp_path, 3), **stop)
    runner = toy.train(config(tmp_path, 3, resume=True))
    assert runner.iter == 20
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook))
    assert hook.best_score == pytest.approx(first_score(tmp_path))


def test_a_threshold_that_was_reached() -> None:
    hook = dict(type="EarlyStoppingHook", monitor="a", rule="greater", stopping_threshold=0.5)
    cfg = Config(dict(custom_hooks=[hook]))
    counted = dict(monitor="a", rule="greater", best_score=0.6, wait_count=0)
    assert has_stopped(cfg, [counted])
    assert not has_stopped(cfg, [counted | dict(best_score=0.4)])
    assert not has_stopped(cfg, [counted | dict(monitor="b")])
    assert not has_stopped(Config(dict()), [counted])
