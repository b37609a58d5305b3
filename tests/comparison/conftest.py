"""A comparison of results files on the embedded set."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.comparison.comparison import Comparison, compare
from senet_mm.comparison.evaluation import Evaluation
from senet_mm.comparison.inputs import resolve


@pytest.fixture(scope="session")
def shapes_root(more_shapes_root: Path) -> Path:
    """As everywhere, but with enough images for intervals."""
    return more_shapes_root


@pytest.fixture(scope="session")
def results_files(more_results_files: list[Path]) -> list[Path]:
    """As everywhere, on these images."""
    return more_results_files


@pytest.fixture(scope="session")
def compared(
    shapes_root: Path, results_files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Comparison, Evaluation]:
    """A good detector as the baseline, and another with two runs."""
    inputs = resolve(
        list(map(str, results_files)),
        ["good", "poor", "poor"],
        out_dir=tmp_path_factory.mktemp("compared"),
        ann_file=shapes_root / "annotations" / "instances_val2017.json",
        image_dir=shapes_root / "val2017",
    )
    return compare(inputs, num_resamples=200)
