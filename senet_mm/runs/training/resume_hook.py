"""A hook that saves what mmengine's checkpoints leave out, and resumes it."""

from __future__ import annotations

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
from .config_changes import changes

_KEY = "between_iterations"  # in a checkpoint
_VALIDATED = ".validated"  # in a work dir: the iteration of its last validation
_MOST_LINES = 20


@HOOKS.register_module()
class ResumeHook(Hook):
    """Resume a training in full.

    Saved with a checkpoint are gradients that are accumulated but not applied
    yet, and the image size that mmdet's ``BatchSyncRandomResize`` keeps for
    some iterations. A validation that was interrupted is made up for. What the
    config says otherwise than the checkpoint's is logged with what follows.
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
        self._saved = {}
        marker = Path(runner.work_dir, _VALIDATED)
        if not runner._resume or not runner.iter:
            if is_main_process():
                marker.unlink(missing_ok=True)
        elif _validation_is_due(runner) and not _is_done(marker, runner.iter):
            runner.logger.info("validating, as the run was interrupted before it had")
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Note that this point of the training is validated."""
        if runner.iter and is_main_process():
            write_whole(Path(runner.work_dir, _VALIDATED), str(runner.iter))

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
        if state:
            checkpoint[_KEY] = state


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


def _is_done(marker: Path, iteration: int) -> bool:
    """Whether the marker says so; what the first process reads holds for all."""
    answer = [marker.is_file() and marker.read_text() == str(iteration)]
    broadcast_object_list(answer)
    return answer[0]


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
