"""Where trainings run: as processes of this machine, one per GPU."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Protocol

import torch

from .plan import Training


class Job(Protocol):
    """A training under way."""

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""

    def stop(self, number: int) -> None:
        """Send it a signal, by which it ends; its last checkpoint stays."""

    def kill(self) -> None:
        """End it at once."""


class Launcher(Protocol):
    """Starts trainings."""

    @property
    def num_places(self) -> int:
        """How many run at once."""

    def start(self, training: Training) -> Job:
        """Start one; there must be a place for it."""


class Processes:
    """One training per GPU that is visible at a time, each of which sees its own alone.

    Without a GPU they train on the CPU, one at a time.
    """

    def __init__(self) -> None:
        self._free = visible_gpus() or [""]
        self.num_places = len(self._free)

    def start(self, training: Training) -> Job:
        return _Process(training, self._free)


class _Process:
    def __init__(self, training: Training, free: list[str]) -> None:
        self._free, self._gpu = free, free.pop(0)
        self._code: int | None = None
        gpu = {"CUDA_VISIBLE_DEVICES": self._gpu} if self._gpu else {}
        training.work_dir.mkdir(parents=True, exist_ok=True)
        with training.output.open("ab") as output:
            self._process = subprocess.Popen(
                training.command,
                env=os.environ | gpu,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # a terminal's Ctrl-C is passed on once
                start_new_session=True,
            )

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._process.poll()
            if self._code is not None:
                self._free.append(self._gpu)
        return self._code

    def stop(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    return named[:count] if named != [""] else [str(index) for index in range(count)]
