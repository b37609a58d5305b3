"""What the tests of bad data share: edits of a data set, and what a command line came to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from senet_mm.compat.packaged_configs import config_path
from tests.attempts import Attempt

BOXES, MASKS = "demo/faster_rcnn_se_r18_fpn_shapes.py", "demo/mask_rcnn_se_r18_fpn_shapes.py"
Edit = Callable[[dict], object]


@dataclass(frozen=True)
class Outcome(Attempt):
    """What a command line came to.

    Attributes:
        config: What the runner was given, if it came so far.
    """

    config: Config | None

    def refused(self, pattern: str) -> None:
        """One line that says so, and exit code 2."""
        assert self.code == 2 and len(self.errors) == 1 and "Traceback" not in self.err, self.err
        assert re.search(pattern, self.errors[0]), self.errors[0]

    def accepted(self, *notes: str) -> None:
        """It would have run, and told what was out of the ordinary."""
        assert self.code == 0 and self.config is not None, self.err
        told = [line for line in self.err.splitlines() if line.startswith("note: ")]
        for note in notes:
            assert any(note in line for line in told), told
        assert notes or not told, told


def file_of(root: Path, split: str) -> Path:
    return root / "annotations" / f"instances_{split}2017.json"


def edit(root: Path, change: Edit, splits: Sequence[str] = ("train", "val")) -> None:
    for split in splits:
        data = json.loads(file_of(root, split).read_text())
        change(data)
        file_of(root, split).write_text(json.dumps(data))


def checkpoint(path: Path, classes: Sequence[str] | None, base: str = BOXES) -> Path:
    """Random weights of a demo detector that says to know these classes."""
    init_default_scope("mmdet")
    cfg = Config.fromfile(config_path(base))
    if classes is not None:
        cfg.model.roi_head.bbox_head.num_classes = len(classes)
    meta: dict[str, Any] = dict(epoch=1, iter=4)
    if classes is not None:
        meta["dataset_meta"] = dict(classes=tuple(classes))
    torch.save({"meta": meta, "state_dict": MODELS.build(cfg.model).state_dict()}, path)
    return path


def read_by_mmdet(cfg: Config) -> dict[str, float]:
    """COCO metrics of perfect detections: mmdet reads what a run would give it."""
    init_default_scope("mmdet")
    dataset = DATASETS.build(dict(cfg.val_dataloader.dataset, pipeline=[]))
    metric = METRICS.build(cfg.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        real = [one for one in info["instances"] if not one["ignore_flag"]]
        found = dict(
            bboxes=torch.tensor([one["bbox"] for one in real], dtype=torch.float).reshape(-1, 4),
            scores=torch.ones(len(real)),
            labels=torch.tensor([one["bbox_label"] for one in real], dtype=torch.long),
        )
        sample = dict(
            img_id=info["img_id"],
            ori_shape=(info["height"], info["width"]),
            pred_instances=found,
        )
        metric.process({}, [sample])
    return metric.evaluate(size=len(dataset))
