"""Fixtures that many tests share."""

from __future__ import annotations

import functools
import logging
import os
import runpy
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import utils as config_utils
from mmengine.registry import DefaultScope
from torch import nn

# waiting threads that spin starve each other where tests share few cores
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # processes that share the tests share the cores too
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)

import senet_mm  # noqa: F401 (makes mmdet importable)
from senet_mm.runs import readers
from senet_mm.shapes import generate_shapes
from tests.attempts import Attempt, run_command
from tests.results_on_disk import write_results

REPO = Path(__file__).resolve().parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: begun last, each would keep one process alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs a GPU where there is none."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA GPU")


@pytest.fixture(scope="session", autouse=True)
def _metafiles_read_once() -> Iterator[None]:
    """For each ``_base_`` of mmdet's, mmengine reads all of mmdet's metafiles anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config_utils, "load", functools.cache(config_utils.load))
        yield


@pytest.fixture(autouse=True)
def _scope_of_mmdet() -> Iterator[None]:
    """A runner leaves its scope behind, and other tests would look for their modules there."""
    yield
    scope = DefaultScope.get_current_instance()
    if scope is not None and scope.scope_name != "mmdet":
        # a run of the same config in the same second would take up the scope of its name again
        DefaultScope._instance_dict.clear()
        DefaultScope.get_instance(f"mmdet-{time.monotonic_ns()}", scope_name="mmdet")


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
def more_shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 24 images to validate, which are enough for intervals."""
    root = tmp_path_factory.mktemp("more_data") / "shapes"
    return generate_shapes(root, num_train=17, num_val=24, image_size=128)


@pytest.fixture(scope="session")
def more_results_files(
    more_shapes_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """Results on these 24, as ``results_files``."""
    return write_results(more_shapes_root, tmp_path_factory.mktemp("more_results"))


@pytest.fixture(scope="session")
def results_files(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Results on the 6 validation images: everything found, and two that miss objects."""
    return write_results(shapes_root, tmp_path_factory.mktemp("results"))


@pytest.fixture
def shapes_alone() -> Iterator[None]:
    """Nets are made of shapes without values, in no time: enough to count and to compare keys."""
    with torch.device("meta"):
        yield


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


@pytest.fixture
def attempt(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Callable[..., Attempt]:
    """Run ``senet-mm COMMAND ...`` in this process, whatever it comes to."""
    # mmengine's loggers outlive the streams that pytest captured for an earlier test
    monkeypatch.setattr(logging, "raiseExceptions", False)
    # other tests register classes of theirs, and misspelt words stand in this folder
    packages = readers._packages()
    monkeypatch.setattr(readers, "_packages", lambda: packages - {"tests"})
    readers._code.cache_clear()
    readers.is_read.cache_clear()
    return functools.partial(run_command, capfd)
