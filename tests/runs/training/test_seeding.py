"""A resumed training is the uninterrupted one."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from studies.kill_and_resume import differences, flat_state
from tests.runs.training import toy_training as toy

WORKERS = {
    "in this process": {},
    "workers": dict(train_dataloader__num_workers=2),
    "lasting workers": dict(
        train_dataloader__num_workers=2, train_dataloader__persistent_workers=True
    ),
}
BY_ITERATION = dict(
    train_cfg=dict(_delete_=True, by_epoch=False, max_iters=20, val_interval=8),
    train_dataloader__sampler__type="InfiniteSampler",
    default_hooks__checkpoint__by_epoch=False,
    default_hooks__checkpoint__interval=3,
)
SCHEDULES: dict[str, tuple[dict[str, Any], str]] = {
    "epochs": ({}, "epoch_4.pth"),
    "epochs, saved by iteration": (
        dict(default_hooks__checkpoint__by_epoch=False, default_hooks__checkpoint__interval=3),
        "iter_20.pth",
    ),
    "iterations": (BY_ITERATION, "iter_20.pth"),
    "iterations of a finite sampler": (
        BY_ITERATION | dict(train_dataloader__sampler__type="DefaultSampler"),
        "iter_20.pth",
    ),
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What the uninterrupted training of a schedule ends in."""

    @functools.cache
    def trained(schedule: str) -> dict[str, Any]:
        options, last = SCHEDULES[schedule]
        work_dir = tmp_path_factory.mktemp("whole")
        toy.train(toy.toy_config(work_dir, **options))
        return flat_state(work_dir / last)

    return trained


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.slow
def test_bit_for_bit(schedule: str, workers: str, uninterrupted, tmp_path: Path) -> None:
    options, last = SCHEDULES[schedule]
    whole = uninterrupted(schedule)
    options = options | WORKERS[workers]
    toy.train(toy.toy_config(tmp_path / "parts", **options), at=8)
    toy.train(toy.toy_config(tmp_path / "parts", resume=True, **options), at=17)
    resumed = toy.train(toy.toy_config(tmp_path / "parts", resume=True, **options))
    assert resumed.iter == 20
    assert differences(whole, flat_state(tmp_path / "parts" / last)) == []
    assert sum(isinstance(value, torch.Tensor) for value in whole.values()) > 20


@pytest.mark.parametrize(
    "options",
    [
        dict(optim_wrapper__accumulative_counts=4),
        dict(train_dataloader__batch_sampler=dict(type="mmdet.AspectRatioBatchSampler")),
        dict(randomness__diff_rank_seed=True),
        dict(optim_wrapper__optimizer=dict(_delete_=True, type="AdamW", lr=0.01)),
        dict(train_dataloader__num_batch_per_epoch=4),
    ],
    ids=lambda options: next(iter(options)),
)
@pytest.mark.slow
def test_other_options(options: dict[str, Any], tmp_path: Path) -> None:
    iterations = SCHEDULES["epochs, saved by iteration"][0] | dict(custom_hooks=[])
    options = iterations | options
    toy.train(toy.toy_config(tmp_path / "whole", **options))
    toy.train(toy.toy_config(tmp_path / "parts", **options), at=8)
    toy.train(toy.toy_config(tmp_path / "parts", resume=True, **options))
    last = (tmp_path / "whole" / "last_checkpoint").read_text()
    whole, parts = (flat_state(tmp_path / name / Path(last).name) for name in ("whole", "parts"))
    assert differences(whole, parts) == []


def test_a_seed_that_was_drawn_goes_on(tmp_path: Path) -> None:
    seed = toy.train(toy.toy_config(tmp_path / "whole", randomness__seed=None)).seed
    toy.train(toy.toy_config(tmp_path / "parts", randomness__seed=seed), at=8)
    toy.train(toy.toy_config(tmp_path / "parts", resume=True, randomness__seed=None))
    whole, parts = (flat_state(tmp_path / name / "epoch_4.pth") for name in ("whole", "parts"))
    assert differences(whole, parts) == []


def test_samples_differ_from_epoch_to_epoch(tmp_path: Path) -> None:
    """mmengine seeds workers alike in each epoch."""
    seen: list[torch.Tensor] = []
    options = WORKERS["workers"] | dict(
        train_dataloader__sampler__shuffle=False, train_cfg__max_epochs=2
    )
    runner = toy.Runner.from_cfg(_prepared(toy.toy_config(tmp_path, **options)))
    runner.model.register_forward_pre_hook(
        lambda model, args, kwargs: seen.append(torch.stack(kwargs["inputs"])) or None,
        with_kwargs=True,
    )
    runner.train()
    first, second = seen[: toy.BATCHES], seen[toy.BATCHES : 2 * toy.BATCHES]
    assert not any(torch.equal(*pair) for pair in zip(first, second, strict=True))


def _prepared(cfg: toy.Config) -> toy.Config:
    toy.prepare_resume(cfg)
    return cfg


def test_an_epoch_is_resumed_in_its_midst_with_the_same_batches_only(tmp_path: Path) -> None:
    options = SCHEDULES["epochs, saved by iteration"][0]
    toy.train(toy.toy_config(tmp_path, **options), at=8)
    other = toy.toy_config(tmp_path, resume=True, train_dataloader__batch_size=5, **options)
    with pytest.raises(ValueError, match=r"of 5 batches on 1 process.*has 2 batches"):
        toy.train(other)


def test_checkpoints_of_mmengine_alone(tmp_path: Path) -> None:
    """27 of 20 iterations, without this."""
    options = SCHEDULES["epochs, saved by iteration"][0]
    cfg = toy.toy_config(tmp_path, **options)
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type="StopHook", at=8)]
    with pytest.raises(toy.Stopped):
        toy.Runner.from_cfg(cfg).train()
    runner = toy.train(toy.toy_config(tmp_path, resume=True, **options))
    assert (runner.epoch, runner.iter) == (4, 20)


# stopped by SIGKILL before an iteration
IN_A_PROCESS = """
import os, signal, sys
from pathlib import Path
import torch
from tests.runs.training import toy_training as toy

torch.distributed.init_process_group("gloo")
wrapper = dict(type="MMDistributedDataParallel", device_ids=None)
cfg = toy.toy_config(Path(sys.argv[1]), launcher="pytorch", model_wrapper_cfg=wrapper, resume=True)
stop = int(sys.argv[2])
toy.train(cfg, at=stop)
if stop < 12:
    os.kill(os.getpid(), signal.SIGKILL)
torch.distributed.barrier()
"""


@pytest.mark.slow
def test_two_processes(repo: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(IN_A_PROCESS)
    for work_dir, stop in (("whole", 99), ("parts", 8), ("parts", 99)):
        launch = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone"]
        launch += ["--nproc_per_node", "2", script, tmp_path / work_dir, stop]
        subprocess.run(
            [str(part) for part in launch],
            env={**os.environ, "PYTHONPATH": str(repo)},
            capture_output=True,
        )
    whole, parts = (flat_state(tmp_path / name / "epoch_4.pth") for name in ("whole", "parts"))
    assert whole[".meta.iter"] == 12
    assert differences(whole, parts) == []
