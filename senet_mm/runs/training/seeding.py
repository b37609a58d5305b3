"""A hook that makes a resumed training the uninterrupted one.

mmengine saves no states of random generators. Here none are needed: all random numbers follow from
the seed, which the checkpoint holds, and from the place in the training.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .data_order import NumberedBatches, number_batches
from .seeds import MODEL, seed_generators

_KEY = "trained_of_epoch"  # in a checkpoint


@HOOKS.register_module()
class SeedHook(Hook):
    """Seed each iteration, and each sample by its place in the training.

    So augmentations differ from epoch to epoch, which mmengine's own seeding of workers does not
    give, and a resumed training draws what the uninterrupted one would. A checkpoint of the midst
    of an epoch is resumed there: batches that were trained are not read again.
    """

    priority = "HIGHEST"  # before hooks that draw random numbers

    def __init__(self) -> None:
        self._batches: NumberedBatches | None = None
        self._saved: dict[str, int] | None = None
        self._trained = 0  # of the epoch to come
        self._epoch: tuple[int, int] = (-1, 0)  # the one under way, and its first iteration

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take what the checkpoint to resume says of its epoch."""
        if runner._resume:
            self._saved = checkpoint.get(_KEY)

    def before_train(self, runner: Runner) -> None:
        """Number the batches.

        Raises:
            ValueError: If an epoch is resumed in its midst, but has other batches now.
        """
        self._batches = number_batches(runner)
        if self._batches is None:
            print_log(
                "the training data is read without batches of indices: its order and augmentation "
                "do not follow from the seed, so a resumed run differs from an uninterrupted one",
                "current",
                logging.WARNING,
            )
        self._trained = self._count_trained(runner)

    def _count_trained(self, runner: Runner) -> int:
        """How many batches of the epoch to come are trained already."""
        if _is_endless(runner):
            return runner.iter
        of_epoch = len(runner.train_dataloader)
        if self._saved is None:
            # of mmengine alone; where the data has changed too, the count tells nothing
            trained = runner.iter - runner.epoch * of_epoch
            return trained if 0 < trained < of_epoch else 0
        now = dict(batches=of_epoch, processes=runner.world_size)
        before = {key: self._saved[key] for key in now}
        if self._saved["trained"] and (now != before or self._batches is None):
            raise ValueError(
                f"the checkpoint is of iteration {runner.iter}, in the midst of an epoch of "
                f"{_batches(before)}, and an epoch has {_batches(now)} now. Resume with the data, "
                "batch size and number of processes of before, or from a checkpoint of an epoch's "
                "end"
            )
        return self._saved["trained"]

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin an epoch, after what is trained of it."""
        trained, self._trained = self._trained, 0
        self._epoch = (runner.epoch, runner.iter - trained)
        seed_generators(runner.seed, MODEL, runner.rank, runner.iter)
        if self._batches is None:
            return
        self._batches.begin(runner.iter, trained)
        if trained and not _is_endless(runner):
            runner.logger.info(f"going on after {trained} batches of epoch {runner.epoch + 1}")
            # hooks are told which batch of the epoch it is
            loop: Any = runner.train_loop
            loop.run_iter = functools.partial(_run_later, loop.run_iter, trained)

    def after_train_epoch(self, runner: Runner) -> None:
        """The next epoch is a whole one."""
        vars(runner.train_loop).pop("run_iter", None)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed what the model, and hooks after this one, will draw."""
        seed_generators(runner.seed, MODEL, runner.rank, runner.iter)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Say in a checkpoint which part of its epoch is trained."""
        if _is_endless(runner):
            return
        epoch, first = self._epoch
        meta = checkpoint["meta"]
        checkpoint[_KEY] = dict(
            trained=meta["iter"] - first if meta["epoch"] == epoch else 0,
            batches=len(runner.train_dataloader),
            processes=runner.world_size,
        )


def _is_endless(runner: Runner) -> bool:
    """Whether the loop counts iterations only."""
    return hasattr(runner.train_loop, "dataloader_iterator")


def _run_later(run_iter: Any, trained: int, idx: int, data_batch: Any) -> None:
    run_iter(idx + trained, data_batch)


def _batches(epoch: dict[str, int]) -> str:
    return f"{epoch['batches']} batches on {epoch['processes']} process(es)"
