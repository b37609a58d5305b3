"""Train what is missing, and tell how far it is."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from ...runs.training.interrupt import Interrupted
from .launchers import Job, Launcher
from .plan import State, Training

_POLL = 0.5  # seconds
_PATIENCE = 60.0  # seconds that trainings have to end in
_TAIL = 4096  # bytes of a file whose last line is wanted
_SHOWN = 3  # failures in a message, and
_WIDTH = 120  # characters of each


def train_missing(trainings: Sequence[Training], launcher: Launcher, way_on: str) -> None:
    """Train what is not finished; one that fails does not keep the others from their end.

    Args:
        trainings: All that are needed.
        launcher: Where they run.
        way_on: The command that goes on, for messages.

    Raises:
        ValueError: If some failed, when all others have ended; with the reasons.
        Interrupted: By Ctrl-C or SIGTERM, which the trainings under way are told; they have ended
            by then.
    """
    waiting = deque(one for one in trainings if one.state is not State.FINISHED)
    if not waiting:
        return
    total, running, failed = len(waiting), dict[Training, Job](), dict[Training, str]()
    bar = tqdm(total=total, desc="training", unit="run", disable=None)
    try:
        while waiting or running:
            while waiting and len(running) < launcher.num_places:
                one = waiting.popleft()
                _tell(f"{one}: {'resumed' if one.state is State.STARTED else 'started'}")
                running[one] = launcher.start(one)
            time.sleep(_POLL)
            for one, job in [*running.items()]:
                code = job.poll()
                if code is None:
                    continue
                del running[one]
                bar.update()
                if code:
                    failed[one] = _reason(one, code)
                _tell(f"{one}: {failed.get(one, 'finished')} ({len(waiting)} are waiting)")
            bar.set_postfix_str(", ".join(map(_progress, running)))
    except BaseException as stop:
        if not isinstance(stop, KeyboardInterrupt):
            # not SIGINT, which what a script starts in the background ignores
            _stop([*running.values()], signal.SIGTERM)
            raise
        number = getattr(stop, "number", signal.SIGINT)
        _stop([*running.values()], number)
        done = total - len(waiting) - len(running) - len(failed)
        raise Interrupted(
            number, f"interrupted with {done} of {total} trainings done; go on with: {way_on}"
        ) from stop
    finally:
        bar.close()
    if failed:
        reasons = [
            f"{one} ({textwrap.shorten(reason, _WIDTH, placeholder=' ...')}; see {one.output})"
            for one, reason in failed.items()
        ]
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        others = ", the others are finished" if len(failed) < total else ""
        raise ValueError(
            f"{len(failed)} of {total} trainings failed{others}: "
            f"{', '.join(reasons[:_SHOWN])}{more}. Mend what is wrong and go on with: {way_on}"
        )


def _stop(jobs: Sequence[Job], number: int) -> None:
    for job in jobs:
        job.stop(number)
    deadline = time.monotonic() + _PATIENCE
    while any(job.poll() is None for job in jobs) and time.monotonic() < deadline:
        time.sleep(_POLL / 5)
    for job in jobs:
        job.kill()


def _tell(line: str) -> None:
    tqdm.write(line, file=sys.stderr)


def _reason(training: Training, code: int) -> str:
    """Why a training failed, from the end of what it printed."""
    if code < 0:
        return f"ended by signal {-code}, {signal.Signals(-code).name}"
    lines = _tail(training.output)
    told = [line for line in lines if line.startswith("error: ")] or lines
    return told[-1].removeprefix("error: ") if told else f"exit code {code}"


def _progress(training: Training) -> str:
    """How far a training is, from the last line of its log."""
    logs = sorted(training.work_dir.glob("*/vis_data/scalars.json"))
    for line in reversed(_tail(logs[-1]) if logs else []):
        try:
            done = json.loads(line).get(training.unit)
        except ValueError:  # half a line
            continue
        if done is not None:
            return f"{training} {done}/{training.length} {training.unit}s"
    return str(training)


def _tail(path: Path) -> list[str]:
    """The last lines of a file that are not empty."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _TAIL, 0))
        return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
