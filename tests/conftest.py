"""Fixtures that many tests share."""

from __future__ import annotations

import json
import logging
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

# waiting threads that spin starve each other where tests share few cores
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.shapes import generate_shapes

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo() -> Path:
    """The source tree."""
    return REPO


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small embedded data set: 17 training images, one without objects, and 6 to validate."""
    root = tmp_path_factory.mktemp("data") / "shapes"
    return generate_shapes(root, num_train=17, num_val=6, image_size=128)


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


@pytest.fixture
def randomize() -> Callable[[nn.Module], nn.Module]:
    """Fill a model with seeded values that keep activations near 1, batch-norm statistics too."""

    def fill(model: nn.Module) -> nn.Module:
        generator = torch.Generator().manual_seed(0)
        for key, value in model.state_dict().items():
            if not value.dtype.is_floating_point:
                continue
            noise = torch.randn(value.shape, generator=generator)
            if key.endswith("running_var"):
                value.copy_(0.5 + noise.abs())
            elif value.ndim > 1:
                value.copy_(noise * (2 / value[0].numel()) ** 0.5)
            elif key.endswith("weight"):
                value.copy_(0.6 + 0.1 * noise)
            else:
                value.copy_(0.1 * noise)
        return model

    return fill


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> Callable[..., str]:
    """Run a tool in this process; returns what it printed. ``error=True`` expects one line."""
    # mmengine's loggers outlive the streams that pytest captured for an earlier test
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def run(name: str, *arguments: object, error: bool = False, folder: str = "tools") -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            runpy.run_path(str(REPO / folder / name), run_name="__main__")
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capfd.readouterr()
        if not error:
            assert code == 0, err
            return out
        lines = [line for line in err.splitlines() if line.startswith("error: ")]
        assert code == 2 and len(lines) == 1 and "Traceback" not in err, err
        return lines[0]

    return run
