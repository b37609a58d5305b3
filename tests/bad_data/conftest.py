"""A small data set to spoil, and a tool that is run on it in this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from tests.attempts import Attempt

from .cases import BOXES, Outcome, file_of


@pytest.fixture
def root(shapes_root: Path, tmp_path: Path) -> Path:
    """A copy of the small data set."""
    return Path(shutil.copytree(shapes_root, tmp_path / "data"))


@pytest.fixture
def config(root: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a config on the data set that names classes, as users of mmdet do."""

    def write(
        classes: Any, num_classes: int = 3, *, val: Any = None, base: str = BOXES, more: str = ""
    ) -> Path:
        path = tmp_path / "own.py"
        path.write_text(
            f"_base_ = {f'senet_mm::{base}'!r}\n"
            f"data = dict(data_root={f'{root}/'!r}, metainfo=dict(classes={classes!r}))\n"
            f"val = dict(data, metainfo=dict(classes={val or classes!r}))\n"
            f"model = dict(roi_head=dict(bbox_head=dict(num_classes={num_classes})))\n"
            "train_dataloader = dict(dataset=data)\n"
            "val_dataloader = dict(dataset=val)\n"
            "test_dataloader = val_dataloader\n"
            f"val_evaluator = dict(ann_file={str(file_of(root, 'val'))!r})\n"
            f"test_evaluator = val_evaluator\n{more}"
        )
        return path

    return write


@pytest.fixture
def tried(
    monkeypatch: pytest.MonkeyPatch, attempt: Callable[..., Attempt]
) -> Callable[..., Outcome]:
    """Run ``senet-mm COMMAND ...`` up to the point where a runner would compute."""
    given: list[Config] = []

    class Stand:
        """In the runner's place."""

        auto_scale_lr = None
        model = nn.Identity()
        train = test = staticmethod(dict)

        def register_hook(self, hook: Hook) -> None:
            """Take what would end the training."""

    def from_cfg(cfg: Config) -> Stand:
        given.append(cfg)
        return Stand()

    monkeypatch.setattr(Runner, "from_cfg", from_cfg)

    def run(*arguments: object) -> Outcome:
        given.clear()
        done = attempt(*arguments)
        return Outcome(done.code, done.out, done.err, given[-1] if given else None)

    return run
