"""The recipes of docs/recipes.md on a small detector, and what a training of one did."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from senet_mm.cli.train import main as train
from senet_mm.weights.load.detector import unwrapped
from tests.docs.markdown import REPO

PAGE = REPO / "docs" / "recipes.md"
_BASE = re.compile(r'^_base_ = ".*"$', re.MULTILINE)
# the demo's SE detector, smaller, on pictures of 64 pixels in batches of two; zeros at the end of
# each residual branch would leave its gate without a gradient at first
SMALL = """
_base_ = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
custom_imports = dict(imports=["senet_mm", "tests.docs.recipes"], allow_failed_imports=False)
model = dict(
    backbone=dict(base_channels=16, se_cfg=dict(reduction=4), zero_init_residual=False),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=16),
    rpn_head=dict(in_channels=16, feat_channels=16),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=16),
        bbox_head=dict(in_channels=16, conv_out_channels=16, fc_out_channels=32),
    ),
)
resize = dict(type="Resize", scale=(64, 64), keep_ratio=True)
ends = dict(meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"))
train_pipeline = [
    dict(type="LoadImageFromFile"), dict(type="LoadAnnotations", with_bbox=True), resize,
    dict(type="PackDetInputs", **ends),
]
test_pipeline = [
    dict(type="LoadImageFromFile"), resize, dict(type="LoadAnnotations", with_bbox=True),
    dict(type="PackDetInputs", **ends),
]
train_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(pipeline=train_pipeline, indices=4),
)
val_dataloader = dict(
    batch_size=2, num_workers=0, persistent_workers=False,
    dataset=dict(pipeline=test_pipeline, indices=2),
)
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=99)
default_hooks = dict(recorder=dict(type="RecipeRecorder"), logger=dict(interval=1))
randomness = dict(seed=0)
"""


@dataclass
class Record:
    """What a training did.

    Attributes:
        work_dir: Its work dir.
        initial: Its weights before it.
        weights: Those after each iteration.
        rates: The learning rates of all tensors in each iteration, by the name of the tensor.
        initial_rate: The first tensor's, before schedules.
        batches: What each iteration was given.
        tested: The weights in each test and validation.
    """

    work_dir: Path
    initial: dict[str, Tensor] = field(default_factory=dict)
    weights: list[dict[str, Tensor]] = field(default_factory=list)
    rates: list[dict[str, float]] = field(default_factory=list)
    initial_rate: float = 0.0
    batches: list[Any] = field(default_factory=list)
    tested: list[dict[str, Tensor]] = field(default_factory=list)

    @property
    def final(self) -> dict[str, Tensor]:
        """The weights after the last iteration."""
        return self.weights[-1]


records: list[Record] = []


def recipe(heading: str, place: int = 0) -> str:
    """A config of the page.

    Args:
        heading: The heading that it stands under.
        place: Which of those that stand there.
    """
    _, found, text = PAGE.read_text().partition(f"\n## {heading}\n")
    assert found, f"{PAGE.name} has no {heading!r}"
    section = text.split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[place]


def write(folder: Path, fragment: str, *, more: str = "") -> Path:
    """Write a config of the page upon the small detector, with more settings in that."""
    (folder / "small.py").write_text(SMALL + more)
    text, bases = _BASE.subn('_base_ = "./small.py"', fragment)
    assert bases == 1
    path = folder / "recipe.py"
    path.write_text(text)
    return path


def run(config: Path, data_root: Path, *arguments: str) -> Record:
    """Train a config by the command line; returns what it did."""
    records.clear()
    DetLocalVisualizer._instance_dict.clear()  # an earlier test's of this name would be taken
    work_dir = str(config.parent / "work_dir")
    train([str(config), "--work-dir", work_dir, "--data-root", str(data_root), *arguments])
    return records[-1]


def save_weights(config: Path, path: Path, **meta: Any) -> dict[str, Tensor]:
    """Save random weights of a config's detector; returns them."""
    init_default_scope("mmdet")
    weights = MODELS.build(Config.fromfile(config).model).state_dict()
    torch.save(dict(state_dict=weights, meta=meta), path)
    return weights


def weights_of(runner: Runner) -> dict[str, Tensor]:
    return copy.deepcopy(unwrapped(runner.model).state_dict())


@HOOKS.register_module()
class RecipeRecorder(Hook):
    """Keeps what a training does in ``records``."""

    priority = "LOWEST"

    def before_run(self, runner: Runner) -> None:
        records.append(Record(Path(runner.work_dir)))

    def before_train(self, runner: Runner) -> None:
        records[-1].initial = weights_of(runner)
        group = runner.optim_wrapper.optimizer.param_groups[0]
        records[-1].initial_rate = group.get("initial_lr", group["lr"])

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        names = {parameter: name for name, parameter in runner.model.named_parameters()}
        groups = runner.optim_wrapper.optimizer.param_groups
        rates = {names[p]: group["lr"] for group in groups for p in group["params"]}
        records[-1].rates.append(rates)
        records[-1].batches.append(copy.deepcopy(data_batch))

    def after_train_iter(self, runner: Runner, *others: Any, **options: Any) -> None:
        records[-1].weights.append(weights_of(runner))

    def before_val_epoch(self, runner: Runner) -> None:
        records[-1].tested.append(weights_of(runner))

    before_test_epoch = before_val_epoch


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Names of the tensors that are not the same to the last bit."""
    return {key for key in before if not torch.equal(before[key], after[key])}
