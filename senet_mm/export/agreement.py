"""Which of mmdet's objects an exported file finds again where its numbers are rounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torchvision.ops import box_iou

from .check import nearest_pairs, predict
from .runtime import Detections, OnnxDetector

_SHOWN = 0.3  # the score from which on ``senet-mm infer`` shows an object
_SAME = 0.5  # the IoU from which on two boxes are one object


@dataclass(frozen=True)
class Agreement:
    """Between two detectors' objects on the same pictures.

    Attributes:
        pictures: How many.
        objects: Those that mmdet is sure of.
        kept: Those of them that the file finds too, with whatever score.
        new: Those that the file is sure of and mmdet does not find with any score.
        iou: Of the boxes of those kept, the mean; NaN without any.
        score: The difference of their scores, the mean of absolute values; NaN without any.
    """

    pictures: int
    objects: int
    kept: int
    new: int
    iou: float
    score: float

    def __str__(self) -> str:
        kept = f": mean IoU {self.iou:.3f}, scores differ by {self.score:.3f}" if self.kept else ""
        return (
            f"of {self.objects} objects with scores of {_SHOWN} or more on {self.pictures} "
            f"pictures {self.kept} are found again{kept}; {self.new} are new"
        )


def agreement(
    model: nn.Module, exported: OnnxDetector, pictures: Iterable[np.ndarray]
) -> Agreement:
    """Run a detector of mmdet and its exported file on pictures, as ``cv2.imread`` gives them."""
    objects = kept = new = number = 0
    ious: list[float] = []
    scores: list[float] = []
    for picture in pictures:
        number += 1
        one, other = predict(model, picture, exported.description), exported(picture)
        overlaps = _overlaps(one, other)
        first, second = nearest_pairs(1 - overlaps, 1 - _SAME)
        sure = one.scores[first] >= _SHOWN
        objects += int((one.scores >= _SHOWN).sum())
        kept += int(sure.sum())
        new += int((np.delete(other.scores, second) >= _SHOWN).sum())
        ious += overlaps[first[sure], second[sure]].tolist()
        scores += np.abs(one.scores[first[sure]] - other.scores[second[sure]]).tolist()
    mean_iou, mean_score = (float(np.mean(x)) if x else float("nan") for x in (ious, scores))
    return Agreement(number, objects, kept, new, mean_iou, mean_score)


def _overlaps(one: Detections, other: Detections) -> np.ndarray:
    """IoU of each box with each other one, below 0 where the classes differ: (M, N)."""
    iou = box_iou(torch.from_numpy(one.boxes), torch.from_numpy(other.boxes)).numpy()
    return np.where(one.labels[:, None] == other.labels[None], iou, -1.0)
