"""What mmengine's EarlyStoppingHook forgets: its count when a training is resumed, and to save.

By itself a training that has stopped trains on when it is resumed, and one that stops between two
checkpoints leaves the earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ..hooks import hooks_of_config


def states(runner: Runner) -> list[dict[str, Any]]:
    """What the hooks of a runner have counted."""
    return [
        dict(
            monitor=hook.monitor,
            rule=hook.rule,
            best_score=float(hook.best_score),
            wait_count=hook.wait_count,
        )
        for hook in _stopping(runner.hooks)
    ]


def restore(runner: Runner, counted: Sequence[Mapping[str, Any]]) -> None:
    """Have a resumed training count on, or stop at once where it has stopped."""
    hooks = _stopping(runner.hooks)
    _set(hooks, counted)
    stopped = next(filter(_has_stopped, hooks), None)
    if stopped is not None:
        loop: Any = runner.train_loop
        loop.stop_training = True
        runner.logger.info(
            f"this training has stopped early: {stopped.monitor} was {stopped.best_score:.3f} at "
            f"best, {stopped.wait_count} validations ago; with a higher patience it goes on"
        )


def has_stopped(cfg: Config, counted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a training with what its hooks have counted would stop at once."""
    hooks = [
        hook if isinstance(hook, EarlyStoppingHook) else HOOKS.build(dict(hook))
        for _, hook in hooks_of_config(cfg, EarlyStoppingHook)
    ]
    _set(hooks, counted)
    return any(map(_has_stopped, hooks))


def save_stopped(runner: Runner) -> None:
    """Save a training that stops now, unless that was done at this point."""
    loop: Any = runner.train_loop
    if not loop.stop_training:
        return
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_last:
            step = runner.epoch if hook.by_epoch else runner.iter
            if Path(hook.last_ckpt or "").name != hook.filename_tmpl.format(step):
                meta = dict(epoch=runner.epoch, iter=runner.iter)
                hook._save_checkpoint_with_step(runner, step, meta)


def _stopping(hooks: Iterable[Hook]) -> list[EarlyStoppingHook]:
    return [hook for hook in hooks if isinstance(hook, EarlyStoppingHook)]


def _set(hooks: Sequence[EarlyStoppingHook], counted: Sequence[Mapping[str, Any]]) -> None:
    for hook, before in zip(hooks, counted, strict=False):
        if (hook.monitor, hook.rule) == (before["monitor"], before["rule"]):
            hook.best_score, hook.wait_count = before["best_score"], before["wait_count"]


def _has_stopped(hook: EarlyStoppingHook) -> bool:
    threshold = hook.stopping_threshold
    reached = threshold is not None and hook.rule_map[hook.rule](hook.best_score, threshold)
    return reached or hook.wait_count >= hook.patience
