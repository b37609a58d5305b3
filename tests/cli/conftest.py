"""Run commands in this process, as `senet-mm` does."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from senet_mm.cli.main import main
from senet_mm.compat.packaged_configs import config_path
from senet_mm.runs import readers

SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"


@dataclass(frozen=True)
class Attempt:
    """What a command line came to: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The lines that name an error."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


@pytest.fixture
def attempt(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> Callable[..., Attempt]:
    """Run ``senet-mm COMMAND ...`` through ``main()``."""
    # mmengine's loggers outlive the streams that pytest captured for an earlier test
    monkeypatch.setattr(logging, "raiseExceptions", False)
    # other tests register classes of theirs, and misspelt words stand in this folder
    packages = readers._packages()
    monkeypatch.setattr(readers, "_packages", lambda: packages - {"tests"})
    readers._code.cache_clear()
    readers.is_read.cache_clear()

    def run(*arguments: object) -> Attempt:
        monkeypatch.setattr(sys, "argv", ["senet-mm", *map(str, arguments)])
        capfd.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        except BaseException:
            traceback.print_exc()
            code = 1
        return Attempt(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def se_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the SE detector of the embedded set, with random weights."""
    cfg = Config.fromfile(config_path(SE))
    init_default_scope("mmdet")
    path = tmp_path_factory.mktemp("checkpoint") / "epoch_1.pth"
    model = MODELS.build(cfg.model)
    torch.save({"meta": {"epoch": 1, "iter": 4}, "state_dict": model.state_dict()}, path)
    return path
