from pathlib import Path

import pytest


@pytest.fixture
def torch_home(tmp_path: Path, monkeypatch) -> Path:
    """An empty cache for downloads."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder
