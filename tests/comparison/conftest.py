"""A comparison of results files on the embedded set."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.comparison.comparison import Comparison, Evaluated, compare
from senet_mm.comparison.inputs import Entry


@pytest.fixture(scope="session")
def compared(shapes_root: Path, results_files: list[Path]) -> tuple[Comparison, Evaluated]:
    """A good detector as the baseline, and another with two runs."""
    entries = [
        Entry(name, str(path), results=path)
        for name, path in zip(("good", "poor", "poor"), results_files, strict=True)
    ]
    return compare(
        entries,
        ann_file=shapes_root / "annotations" / "instances_val2017.json",
        image_dir=shapes_root / "val2017",
        num_resamples=200,
    )
