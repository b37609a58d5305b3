"""Ctrl-C and SIGTERM end a command in one line."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from .last_checkpoint import POINTER

_PATIENCE = 5.0  # seconds that an iteration may take to end


class Interrupted(KeyboardInterrupt):
    """A command was interrupted.

    Args:
        number: The signal.
        message: Where, and how to go on.
    """

    def __init__(self, number: int, message: str = "interrupted") -> None:
        super().__init__(message)
        self.number = number

    @property
    def exit_code(self) -> int:
        """As shells have it: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM raise :class:`Interrupted` here."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handling(stop):
        yield


@contextmanager
def interruptible_training(runner: Runner) -> Iterator[None]:
    """Stop a training between two iterations; one that takes long, in its midst.

    In its midst an exception may meet code that drops it, as destructors do.

    Raises:
        Interrupted: Saying how far the training is.
    """
    hook = _StopHook()
    runner.register_hook(hook)
    try:
        with _handling(hook.stop):
            yield
    # what fails after a signal may fail by it: the other processes and the workers got it too
    except BaseException as error:
        if hook.number is None:
            raise
        _end_workers(runner)
        raise Interrupted(hook.number, _place(runner)) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class _StopHook(Hook):
    """Stops a run at its next iteration."""

    priority = "HIGHEST"

    def __init__(self) -> None:
        self.number: int | None = None

    def stop(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGALRM or self.number is not None:  # it takes too long
            raise KeyboardInterrupt
        self.number = number
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)

    def _before_iter(self, *args: Any, **options: Any) -> None:
        if self.number is not None:
            raise KeyboardInterrupt


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Handle the signals here, but for those that were ignored before (by ``nohup``)."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets them
        yield
        return
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in signals}
    handled = [number for number in signals if before[number] is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])


def _end_workers(runner: Runner) -> None:
    """End the workers that loaders keep; at the end of this process they would be terminated."""
    for loop in (runner._train_loop, runner._val_loop):
        for name in ("dataloader", "dataloader_iterator"):
            iterator: Any = getattr(getattr(loop, name, None), "_iterator", None)
            if hasattr(iterator, "_shutdown_workers"):
                iterator._shutdown_workers()


def _place(runner: Runner) -> str:
    where = f"iteration {runner.iter + 1}"
    if not hasattr(runner.train_loop, "dataloader_iterator"):
        where = f"epoch {runner.epoch + 1} ({where})"
    if Path(runner.work_dir, POINTER).is_file():
        return f"interrupted at {where}; continue with --resume"
    return f"interrupted at {where}, before the first checkpoint"
