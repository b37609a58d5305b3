"""A hook that saves what mmengine's checkpoints leave out, and resumes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from ..io.files import write_whole
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
        for name, parameter in _model(runner).named_parameters():
            gradient = self._saved.get("gradients", {}).get(name)
            if gradient is not None:
                parameter.grad = gradient.to(parameter.device)
        for name, module in _resizing(runner):
            if name in self._saved.get("sizes", {}):
                module._input_size = tuple(self._saved["sizes"][name])
        self._saved = {}
        marker = Path(runner.work_dir, _VALIDATED)
        if not runner._resume or not runner.iter:
            if is_main_process():
                marker.unlink(missing_ok=True)
        elif _validation_is_due(runner) and _read(marker) != str(runner.iter):
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
                for name, parameter in _model(runner).named_parameters()
                if parameter.grad is not None
            }
        sizes = {name: module._input_size for name, module in _resizing(runner)}
        if sizes:
            state["sizes"] = {name: size for name, size in sizes.items() if size is not None}
        if state:
            checkpoint[_KEY] = state


def _model(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _resizing(runner: Runner) -> Iterator[tuple[str, Any]]:
    """The modules that resize whole batches, and keep a size for several."""
    for name, module in _model(runner).named_modules():
        if hasattr(module, "_input_size"):
            yield name, module


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


def _read(marker: Path) -> str:
    return marker.read_text() if marker.is_file() else ""


def _log_changes(runner: Runner, before: str) -> None:
    try:
        found = changes(before, runner.cfg.pretty_text)
    except (SyntaxError, ValueError):
        print_log("the config in the checkpoint cannot be read, so it is not compared", "current")
        return
    for change in found[:_MOST_LINES]:
        runner.logger.warning(f"resuming: {change}")
    if len(found) > _MOST_LINES:
        runner.logger.warning(f"resuming: {len(found) - _MOST_LINES} more options have changed")
