from __future__ import annotations

import sys

import mmengine.registry
import pytest
from mmdet.models import FasterRCNN, ResNet
from mmengine.config import Config

from senet_mm.runs.task import Task, expect_task, task_of

CASES = [
    # (scope of the config, type of its model, task)
    (None, "FasterRCNN", Task.DETECTION),
    ("mmdet", "FasterRCNN", Task.DETECTION),
    ("mmrotate", "OrientedRCNN", Task.DETECTION),
    ("mmpretrain", "ImageClassifier", Task.CLASSIFICATION),
    ("mmpretrain", "mmdet.FasterRCNN", Task.DETECTION),
    ("mmpretrain", FasterRCNN, Task.DETECTION),
    ("mmdet", "mmpretrain.ImageClassifier", Task.CLASSIFICATION),
    ("mmseg", "EncoderDecoder", Task.SEGMENTATION),
    ("mmseg", None, Task.SEGMENTATION),
]


@pytest.mark.parametrize(("scope", "kind", "task"), CASES)
def test_the_model_decides_then_the_scope(scope: str | None, kind: object, task: Task) -> None:
    assert task_of(Config(dict(default_scope=scope, model=dict(type=kind)))) is task


def test_another_task_is_told() -> None:
    cfg = Config(dict(default_scope="mmseg", model=dict(type="EncoderDecoder")))
    expect_task(cfg, Task.SEGMENTATION, "this")
    with pytest.raises(ValueError, match="senet-mm infer works on detection.* for segmentation"):
        expect_task(cfg, Task.DETECTION, "senet-mm infer")


def test_names_are_those_of_the_scope() -> None:
    models = mmengine.registry.MODELS
    assert Task.DETECTION.find(models, "ResNet") is ResNet
    assert Task.DETECTION.find(models, "mmdet.ResNet") is ResNet
    assert Task.DETECTION.find(models, ResNet) is ResNet
    assert Task.DETECTION.find(models, "NoSuchNet") is None
    # registered at the root alone
    assert Task.DETECTION.find(mmengine.registry.HOOKS, "CheckpointHook").__name__ == (
        "CheckpointHook"
    )


def test_a_package_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mmpretrain", None)
    monkeypatch.delitem(sys.modules, "mmpretrain.models", raising=False)
    with pytest.raises(ImportError, match=r"needs mmpretrain; .*'senet_mm\[classification\]'"):
        Task.CLASSIFICATION.check_installed()
    Task.DETECTION.check_installed()
