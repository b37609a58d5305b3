"""A hook that saves what mmengine's checkpoints leave out, and resumes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from ...io.files import write_whole
from ...weights.load.detector import unwrapped
from . import early_stopping
from .config_changes import changes

_KEY = "between_iterations"  # in a checkpoint
# in a work dir: the iteration of its last validation, and what early stopping had counted then
_VALIDATED = ".validated"
_MOST_LINES = 20


@HOOKS.register_module()
class ResumeHook(Hook):
    """Resume a training in full.

    Saved with a checkpoint are gradients that are accumulated but not applied
    yet, the image size that mmdet's ``BatchSyncRandomResize`` keeps for some
    iterations, and what early stopping has counted. A validation that was
    interrupted is made up for. What the config says otherwise than the
    checkpoint's is logged with what follows.
    """

    priority = "LOWEST"  # a validation needs all other hooks prepared

    def __init__(self) -> None:
        self._saved: dict[str, Any] = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take what is resumed later, and compare the configs."""
        if not runner._resume:
            return
        self._saved = checkpoint.get(_KEY) or {}
        _log_changes(runner, str(checkpoint.get("meta", {}).get("cfg", "")))

    def before_train(self, runner: Runner) -> None:
        """Resume, and validate if that was due when the training was interrupted."""
        for name, parameter in unwrapped(runner.model).named_parameters():
            gradient = self._saved.get("gradients", {}).get(name)
            if gradient is not None:
                parameter.grad = gradient.to(parameter.device)
        modules = dict(unwrapped(runner.model).named_modules())
        for name, size in self._saved.get("sizes", {}).items():
            if name in modules:
                modules[name]._input_size = size
        counted = self._saved.get("early_stopping", [])
        self._saved = {}
        if not runner._resume or not runner.iter:
            if is_main_process():
                Path(runner.work_dir, _VALIDATED).unlink(missing_ok=True)
            return
        answer = [last_validation(Path(runner.work_dir))]
        broadcast_object_list(answer)  # what the first process reads holds for all
        iteration, since = answer[0]
        done = iteration == runner.iter
        early_stopping.restore(runner, since if done else counted)
        if not done and _validation_is_due(runner):
            runner.logger.info("validating, as the run was interrupted before it had")
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Note that this point of the training is validated; save it if it is the last."""
        if not runner.iter:
            return
        early_stopping.save_stopped(runner)
        if is_main_process():
            counted = early_stopping.states(runner)
            line = f"\n{json.dumps(counted)}" if counted else ""
            write_whole(Path(runner.work_dir, _VALIDATED), f"{runner.iter}{line}")

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Save what the next iterations depend on."""
        state: dict[str, Any] = {}
        wrapper = runner.optim_wrapper
        if isinstance(wrapper, OptimWrapper) and not wrapper.should_update():
            state["gradients"] = {
                name: parameter.grad.cpu()
                for name, parameter in unwrapped(runner.model).named_parameters()
                if parameter.grad is not None
            }
        sizes = {
            name: module._input_size
            for name, module in unwrapped(runner.model).named_modules()
            if isinstance(getattr(module, "_input_size", None), tuple)
        }
        if sizes:
            state["sizes"] = sizes
        counted = early_stopping.states(runner)
        if counted:
            state["early_stopping"] = counted
        if state:
            checkpoint[_KEY] = state


def last_validation(work_dir: Path) -> tuple[int, list[dict[str, Any]]]:
    """The iteration of a training's last validation, and what early stopping had counted then."""
    try:
        iteration, _, counted = (work_dir / _VALIDATED).read_text().partition("\n")
        return int(iteration), json.loads(counted or "[]")
    except (OSError, ValueError):
        return 0, []


def _validation_is_due(runner: Runner) -> bool:
    """Whether the loop would validate where a checkpoint was saved."""
    loop: Any = runner.train_loop
    if runner.val_loop is None:
        return False
    if hasattr(loop, "dataloader_iterator"):
        done, end = runner.iter, runner.max_iters
    else:
        if runner.iter != runner.epoch * len(runner.train_dataloader):  # in the midst of one
            return False
        done, end = runner.epoch, runner.max_epochs
    loop._decide_current_val_interval()
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == end)


def _log_changes(runner: Runner, before: str) -> None:
    if not before:  # of a runner that was made without a config
        return
    try:
        found = changes(before, runner.cfg.pretty_text)
    except (SyntaxError, ValueError):
        print_log("the config in the checkpoint cannot be read, so it is not compared", "current")
        return
    for change in found[:_MOST_LINES]:
        runner.logger.warning(f"resuming: {change}")
    if len(found) > _MOST_LINES:
        runner.logger.warning(f"resuming: {len(found) - _MOST_LINES} more options have changed")
