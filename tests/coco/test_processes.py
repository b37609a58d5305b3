"""Functions of modules, as processes are told what to run by name."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from senet_mm.coco import processes
from senet_mm.coco.processes import in_processes, usable_cpus


def square(number: int) -> tuple[int, int]:
    time.sleep(0.02 * (number == 0))  # the first one comes last
    return number**2, os.getpid()


def fail(number: int) -> int:
    if number == 3:
        raise ValueError(f"number is {number}; expected another")
    return number


def die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def mark(number: int, folder: Path) -> int:
    (folder / str(number)).touch()
    return number


def test_results_come_in_order_and_from_others() -> None:
    squares, pids = zip(*in_processes(square, range(20), workers=2), strict=True)
    assert list(squares) == [number**2 for number in range(20)]
    assert os.getpid() not in pids and len(set(pids)) <= 2


def test_one_process_is_this_one() -> None:
    assert {pid for _, pid in in_processes(square, range(3), workers=1)} == {os.getpid()}


def test_an_error_is_that_of_the_function() -> None:
    found = in_processes(fail, range(1000), workers=2)
    with pytest.raises(ValueError, match=r"^number is 3; expected another$"):
        list(found)


def test_a_killed_process_is_told() -> None:
    with pytest.raises(ChildProcessError, match=r"^one of 2 processes was killed, most often"):
        list(in_processes(die, range(5), workers=2))


def test_tasks_are_taken_as_they_are_needed(tmp_path: Path) -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    found = in_processes(partial(mark, folder=tmp_path), tasks(), workers=2)
    next(found)
    found.close()
    assert len(taken) <= 6 and len(list(tmp_path.iterdir())) <= 6


@pytest.mark.slow  # each imports the stack
def test_spawned_processes_do_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = partial(processes.ProcessPoolExecutor, mp_context=multiprocessing.get_context("spawn"))
    monkeypatch.setattr(processes, "ProcessPoolExecutor", pool)
    assert list(in_processes(fail, range(3), workers=2)) == [0, 1, 2]


def test_cpus() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
