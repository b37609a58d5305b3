"""Trainings that do something else, in a moment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from senet_mm.comparison.trainings.plan import State, Training


def make(
    monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, *states: State
) -> list[Training]:
    """Trainings whose command is a Python script with seed and work dir in ``sys.argv``."""
    monkeypatch.setattr(
        Training,
        "command",
        property(lambda one: [sys.executable, "-c", script, str(one.seed), str(one.work_dir)]),
    )
    return [
        Training("se", seed, folder / "se.py", folder / f"seed-{seed}", 6, "epoch", state)
        for seed, state in enumerate(states)
    ]
