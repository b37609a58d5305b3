"""The same function on many tasks, in several processes."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def usable_cpus() -> int:
    """How many CPUs this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_processes(
    function: Callable[[_Task], _Result], tasks: Iterable[_Task], *, workers: int
) -> Generator[_Result]:
    """``map`` in several processes; in this one for fewer than two.

    Only a few tasks and results wait at a time, so that memory stays bounded. An error of the
    function is raised here. Where processes are spawned (macOS, Windows), a script that gets here
    needs its ``if __name__ == "__main__"``.

    Args:
        function: A function of a module, which other processes can import.
        tasks: What can be pickled.
        workers: How many processes.

    Yields:
        The results in the order of the tasks.

    Raises:
        ChildProcessError: If a process was killed.
    """
    if workers < 2:
        yield from map(function, tasks)
        return
    waiting: deque[Future[_Result]] = deque()
    with ProcessPoolExecutor(workers, initializer=_leave_signals) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                f"one of {workers} processes was killed, most often for memory: end other "
                "programs, or allow one CPU only (taskset -c 0), which takes one process"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _leave_signals() -> None:
    """Ctrl-C reaches all processes; the one that started the others ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
