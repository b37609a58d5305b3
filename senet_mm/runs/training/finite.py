"""Stop a training whose loss or weights are no numbers any more, before it saves them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor

from ...weights.load.detector import unwrapped
from .last_checkpoint import last_whole


@HOOKS.register_module()
class FiniteHook(Hook):
    """Stop at the first loss that is NaN or infinite, and never save weights that are.

    mmdet's ``CheckInvalidLossHook`` looks at every 50th loss and does not look at weights. mmengine
    copies every loss from the device for its log in any case, so each is looked at here. Weights
    are checked where a checkpoint may be saved: the loss tells of the step before.
    """

    priority = "VERY_HIGH"  # before a checkpoint is saved or an old one removed

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Look at the losses of an iteration."""
        for name, value in (outputs or {}).items():
            if "loss" in name and isinstance(value, Tensor) and not bool(value.isfinite().all()):
                raise ValueError(f"{name} is {_first_wrong(value)} {self._where(runner)}")
        if any(_saves(hook, runner) for hook in runner.hooks):
            self._check_weights(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Look at the weights at the end of an epoch."""
        self._check_weights(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look at the weights that are about to be saved, whoever asked for it."""
        self._check_weights(runner)

    def _check_weights(self, runner: Runner) -> None:
        wrong = next(_not_finite(unwrapped(runner.model)), None)
        if wrong is not None:
            raise ValueError(f"the weights {wrong} are not finite {self._where(runner)}")

    def _where(self, runner: Runner) -> str:
        last = None
        with suppress(ValueError):  # of a damaged one: what is told here matters more
            last, _ = last_whole(Path(runner.work_dir), runner.cfg)
        saved = f"the last checkpoint is {last}" if last else "no checkpoint was saved"
        # counted from 1, as the log does; at the end of an epoch the runner has counted on already
        iteration = min(runner.iter + 1, runner.max_iters)
        return (
            f"at iteration {iteration} (epoch {min(runner.epoch + 1, runner.max_epochs)}): the "
            f"training is stopped; {saved}. Lower the learning rate (--cfg-options "
            "optim_wrapper.optimizer.lr=...), warm up longer, clip gradients "
            "(optim_wrapper.clip_grad.max_norm=35), or train without --amp"
        )


def _saves(hook: Hook, runner: Runner) -> bool:
    """Whether a hook saves a checkpoint after this iteration."""
    return (
        isinstance(hook, CheckpointHook)
        and not hook.by_epoch
        and (hook.every_n_train_iters(runner, hook.interval) or hook.is_last_train_iter(runner))
    )


def _first_wrong(value: Tensor) -> float:
    return float(value[~value.isfinite()].flatten()[0])


@torch.no_grad()
def _not_finite(model: torch.nn.Module) -> Iterator[str]:
    """Names of parameters that are not finite, and of buffers that hold NaN.

    A buffer may hold infinities on purpose, as masks of attention do.
    """
    for name, value in model.named_parameters():
        if not bool(value.isfinite().all()):
            yield name
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point() and bool(buffer.isnan().any()):
            yield name
