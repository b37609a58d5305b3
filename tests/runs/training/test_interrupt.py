"""Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# an endless training with two workers; --cold is interrupted before the first checkpoint
TRAIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background
from pathlib import Path
from senet_mm.cli.errors import run
from senet_mm.runs.training.interrupt import interruptible_training
from tests.runs.training import toy_training as toy

def main():
    cfg = toy.toy_config(
        Path(sys.argv[1]), train_cfg__max_epochs=10**6, train_cfg__val_interval=10**6,
        train_dataloader__num_workers=2, param_scheduler=[],
    )
    if sys.argv[2:]:
        cfg.train_dataloader.persistent_workers = True
        cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=10**6)
    toy.prepare_resume(cfg)
    runner = toy.Runner.from_cfg(cfg)
    print("training", flush=True)
    with interruptible_training(runner):
        runner.train()

run(main)
"""


@pytest.fixture
def start(repo: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a training in a session of its own, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-c", TRAIN, *arguments]
        options = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(subprocess.Popen(command, cwd=repo, start_new_session=True, **options))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("cold", [True, False])
def test_one_line_and_no_worker(
    number: int, code: int, cold: bool, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    run = start(str(tmp_path), *["cold"] * cold)
    assert run.stdout is not None
    while "training" not in (line := run.stdout.readline()):
        assert line, run.communicate()
    deadline = time.monotonic() + 240
    while not (len(_children(run.pid)) == 2 and (cold or (tmp_path / "last_checkpoint").exists())):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    workers = _children(run.pid)
    # a terminal sends Ctrl-C to the workers too
    os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == code, errors
    assert "Traceback" not in errors
    lines = [line for line in errors.splitlines() if line.startswith("interrupted")]
    assert len(lines) == 1 and "interrupted at epoch " in lines[0] and "(iteration " in lines[0]
    end = "before the first checkpoint" if cold else "continue with --resume"
    assert lines[0].endswith(end)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def _children(process: int) -> list[str]:
    children = Path(f"/proc/{process}/task/{process}/children")
    return children.read_text().split() if children.exists() else []
