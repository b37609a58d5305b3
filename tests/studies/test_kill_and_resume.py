"""Kills of a detector's training, from the study's command line."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_killed_training_ends_in_the_same_tensors(tool, tmp_path: Path) -> None:
    arguments = ["--kills", 1, "--epochs", 2, "--work-dir", tmp_path / "runs"]
    printed = tool("kill_and_resume.py", *arguments, folder="studies")
    assert "0 values differ" in printed
    assert printed.strip().splitlines()[-1].endswith("0 of which ended in other values")
