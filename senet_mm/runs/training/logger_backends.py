"""mmengine's backends for TensorBoard and Weights & Biases, as a training needs them.

By themselves they show losses against iterations and AP against epochs, on one axis; mix the
seconds of a validation into those of the training; keep what they write in a new folder for each
start; begin a resumed training anew; and copy the work dir, or the code of the current folder.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, VISBACKENDS
from mmengine.runner import Runner
from mmengine.visualization import TensorboardVisBackend, WandbVisBackend
from mmengine.visualization.vis_backend import BaseVisBackend

from ...compat.versions import one_line
from ...io.files import write_whole

PROJECT = "senet_mm"  # under which runs are found, where they are not in a work dir


class Backend(BaseVisBackend):
    """What all share: numbers against the iteration of the training, kept in its work dir.

    Args:
        save_dir: The work dir.
        resume: Whether the training goes on with the one that was logged there.
        options: As mmengine's class takes them.
    """

    packages: tuple[str, ...] = ()

    def __init__(self, save_dir: str, *, resume: bool = False, **options: Any) -> None:
        super().__init__(save_dir, **options)
        self.work_dir = Path(save_dir)
        self.resume = resume
        self.validated_at: int | None = None

    @staticmethod
    def of(runner: Runner) -> Iterator[Backend]:
        """Those of a runner."""
        for backend in runner.visualizer._vis_backends.values():
            if isinstance(backend, Backend):
                yield backend

    def add_scalars(
        self, scalar_dict: Mapping[str, Any], step: int = 0, *others: Any, **options: Any
    ) -> None:
        """Log some numbers.

        Args:
            scalar_dict: The numbers by name.
            step: Iteration; of a validation whatever mmengine counts it by.
            others: What mmengine's other backends take.
            options: Of these too.
        """
        if self.validated_at is None:
            self.log(dict(scalar_dict), step)
        else:  # AP has a name of its own; how long it took has that of the training
            named = {k if "/" in k else f"val/{k}": value for k, value in scalar_dict.items()}
            self.log(named, self.validated_at)

    def log(self, numbers: dict[str, Any], step: int) -> None:
        """Hand the numbers of an iteration over."""
        super().add_scalars(numbers, step)

    def fail(self) -> None:
        """End what a training logged that did not come to its end."""
        self.close()

    def run_id(self, name: str) -> str | None:
        """The id that a resumed training was logged under before."""
        file = Path(self.work_dir, name)
        return file.read_text().strip() or None if self.resume and file.is_file() else None

    def keep_run_id(self, name: str, number: str) -> str:
        """Write the id down for trainings that go on with this one, and return it."""
        write_whole(Path(self.work_dir, name), number)
        return number


@HOOKS.register_module()
class LoggersHook(Hook):
    """Tell our backends at which iteration a validation is."""

    def before_val(self, runner: Runner) -> None:
        """Numbers to come are of a validation."""
        for backend in Backend.of(runner):
            backend.validated_at = runner.iter

    def after_val(self, runner: Runner) -> None:
        """Numbers to come are of the training."""
        for backend in Backend.of(runner):
            backend.validated_at = None


@VISBACKENDS.register_module()
class TensorboardBackend(Backend, TensorboardVisBackend):
    """TensorBoard: ``WORK_DIR/tensorboard``, one curve however often a training was resumed.

    Numbers reach the disk at once, so that a kill loses none. Where a training goes on, what was
    logged of later iterations before counts no more.
    """

    packages = ("tensorboard", "torch.utils.tensorboard")
    _config: Config | None = None
    _first: int | None = None

    def add_config(self, config: Config, **options: Any) -> None:
        """Keep the config until it is known where the training goes on."""
        self._config = config

    def log(self, numbers: dict[str, Any], step: int) -> None:
        """See :class:`Backend`."""
        if self._first is None:
            # a validation that is made up for follows what was logged of its iteration
            goes_on = step if self.validated_at is None else step + 1
            self._first = goes_on if self.resume else 0
        super().log(numbers, step)
        self._tensorboard.flush()

    def _init_env(self) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = Path(self.work_dir, "tensorboard")
        self._tensorboard = SummaryWriter(str(folder), purge_step=self._first)
        if self._config is not None:
            self._tensorboard.add_text("config", self._config.pretty_text)


@VISBACKENDS.register_module()
class WandbBackend(Backend, WandbVisBackend):
    """Weights & Biases: ``WORK_DIR/wandb``, offline unless ``WANDB_MODE`` says otherwise."""

    packages = ("wandb",)

    def _init_env(self) -> None:
        import wandb

        self._wandb = wandb
        file = ".wandb_run"
        try:
            wandb.init(
                dir=str(self.work_dir),
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                name=os.environ.get("WANDB_NAME", str(self.work_dir)),
                id=self.run_id(file) or self.keep_run_id(file, uuid.uuid4().hex[:8]),
                resume="allow",
                mode=cast(Any, os.environ.get("WANDB_MODE", "offline")),  # it checks that itself
                settings=wandb.Settings(console="off"),  # the work dir has the log
            )
        except wandb.errors.Error as error:
            raise ConnectionError(
                f"--logger wandb: {one_line(error)}; without WANDB_MODE it keeps to the work dir"
            ) from error

    def add_config(self, config: Config, **options: Any) -> None:
        """Log the config."""
        self.experiment.config.update(config.to_dict(), allow_val_change=True)

    def log(self, numbers: dict[str, Any], step: int) -> None:
        """See :class:`Backend`."""
        self.experiment.log(numbers, step=step)  # mmengine's class drops the step

    def close(self) -> None:
        """End the run."""
        self._finish(0)

    def fail(self) -> None:
        """End the run as one that failed."""
        self._finish(1)

    def _finish(self, exit_code: int) -> None:
        if hasattr(self, "_wandb"):
            self._wandb.finish(exit_code=exit_code)
