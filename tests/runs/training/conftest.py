"""Fixtures of the tests of trainings."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.runs.training.mlflow_backend import PATIENCE


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where nothing is to be written."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("WANDB_MODE", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", *PATIENCE):
        monkeypatch.delenv(name, raising=False)
    return folder
