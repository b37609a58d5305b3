"""One training in a work dir at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from senet_mm.runs.training import lock
from senet_mm.runs.training.lock import hold_work_dir

HOLD = """
import multiprocessing, sys, time
from senet_mm.runs.training.lock import hold_work_dir
with hold_work_dir(sys.argv[1]):
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
    worker.start()
    print(worker.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_second_training_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    # what the stack prints at import comes first
    worker = next(int(line) for line in first.stdout if line.strip().isdigit())
    try:
        taken = rf"{tmp_path} is in use by another training \(process {first.pid} on .*--work-dir"
        with pytest.raises(BlockingIOError, match=taken), hold_work_dir(tmp_path):
            pass
        with hold_work_dir(tmp_path.parent):
            pass
        first.send_signal(signal.SIGKILL)
        first.wait()
        with hold_work_dir(tmp_path):  # though a worker of the first still runs
            assert str(os.getpid()) in (tmp_path / lock.LOCK).read_text()
    finally:
        first.kill()
        os.kill(worker, signal.SIGKILL)


def test_other_processes_of_a_run_share_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(lock, "is_main_process", lambda: False)
    with hold_work_dir(tmp_path):
        assert not (tmp_path / lock.LOCK).exists()


def test_file_systems_without_locks(tmp_path: Path, monkeypatch) -> None:
    def refuse(*ignored: object) -> None:
        raise OSError(37, "No locks available")

    said: list[str] = []
    monkeypatch.setattr(fcntl, "lockf", refuse)
    monkeypatch.setattr(lock, "print_log", lambda line, *rest: said.append(line))
    with hold_work_dir(tmp_path):
        pass
    assert "cannot be locked (No locks available)" in said[0]
