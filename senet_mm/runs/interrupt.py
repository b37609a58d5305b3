"""Ctrl-C and SIGTERM end a command in one line."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mmengine.runner import Runner

from .last_checkpoint import POINTER


class Terminated(KeyboardInterrupt):
    """SIGTERM came; like Ctrl-C it passes by what handles errors."""


class Interrupted(KeyboardInterrupt):
    """A training was interrupted.

    Args:
        message: Where, and how to go on.
        code: Exit code of the command.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn SIGTERM into :class:`Terminated` here."""
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


@contextmanager
def say_where(runner: Runner) -> Iterator[None]:
    """Say how far a training is, if it is interrupted here.

    Raises:
        Interrupted: For Ctrl-C and SIGTERM.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(_place(runner), exit_code(stop)) from None


def exit_code(stop: KeyboardInterrupt) -> int:
    """Exit code of a command that was interrupted: 128 and the signal's number."""
    if isinstance(stop, Interrupted):
        return stop.code
    return 128 + (signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT)


def _place(runner: Runner) -> str:
    where = f"iteration {runner.iter + 1}"
    if not hasattr(runner.train_loop, "dataloader_iterator"):
        where = f"epoch {runner.epoch + 1} ({where})"
    if Path(runner.work_dir, POINTER).is_file():
        return f"interrupted at {where}; continue with --resume"
    return f"interrupted at {where}, before the first checkpoint"
