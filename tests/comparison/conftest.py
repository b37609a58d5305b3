"""A comparison of results files on the embedded set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.comparison.comparison import Comparison, Evaluated, compare
from senet_mm.comparison.inputs import Entry


@pytest.fixture(scope="session")
def results_files(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Results on the 6 validation images: everything found, and two that miss objects."""
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    objects = json.loads(ann_file.read_text())["annotations"]
    folder, files = tmp_path_factory.mktemp("results"), []
    for number, share in enumerate((0.9, 0.5, 0.6)):
        rng = np.random.default_rng(number)
        found = [
            dict(
                image_id=a["image_id"],
                category_id=a["category_id"],
                bbox=a["bbox"],
                score=float(rng.uniform(0.4, 1)),
            )
            for a in objects
            if rng.uniform() < share
        ]
        files.append(folder / f"run{number}.bbox.json")
        files[-1].write_text(json.dumps(found))
    return files


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
