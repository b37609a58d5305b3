"""What an exported file finds beside what mmdet finds, in numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from mmdet.structures import DetDataSample
from torch import nn

from .runtime import Detections, OnnxDetector, fit

BOX_TOLERANCE, SCORE_TOLERANCE = 1e-2, 1e-4  # in pixels, and of a score
_NEAR = 1.0  # pixels within which two boxes are one object


@dataclass(frozen=True)
class Differences:
    """Between two lists of detections on the same pictures.

    Attributes:
        pictures: How many.
        objects: Detections of mmdet.
        unmatched: Detections that only one of the two has.
        box: The largest distance between the sides of two boxes of one object, in pixels.
        score: The largest difference of their scores.
        mask: Of masks: the largest share of an object's pixels that differ; None without masks.
    """

    pictures: int
    objects: int
    unmatched: int
    box: float
    score: float
    mask: float | None

    @property
    def within_tolerance(self) -> bool:
        """Whether it is no more than other orders of float32's sums make."""
        near = self.box <= BOX_TOLERANCE and self.score <= SCORE_TOLERANCE
        return near and not self.unmatched

    def __str__(self) -> str:
        masks = "" if self.mask is None else f", {self.mask:.2g} of a mask's pixels"
        return (
            f"{self.objects} detections on {self.pictures} pictures, {self.unmatched} not in both; "
            f"largest differences: {self.box:.2g} px, {self.score:.2g} of a score{masks}"
        )


def compare(
    model: nn.Module, exported: OnnxDetector, pictures: Iterable[np.ndarray]
) -> Differences:
    """Run a detector of mmdet and its exported file on pictures, as ``cv2.imread`` gives them."""
    pairs = [
        (predict(model, picture, exported.description), exported(picture)) for picture in pictures
    ]
    matched = [(one, other, *match(one, other)) for one, other in pairs]
    boxes = [np.abs(one.boxes[i] - other.boxes[j]) for one, other, i, j in matched]
    scores = [np.abs(one.scores[i] - other.scores[j]) for one, other, i, j in matched]
    masks = [_mask_differences(*each) for each in matched if each[0].masks is not None]
    return Differences(
        pictures=len(pairs),
        objects=sum(len(one.scores) for one, _ in pairs),
        unmatched=sum(
            len(one.scores) + len(other.scores) - 2 * len(i) for one, other, i, _ in matched
        ),
        box=max((float(each.max(initial=0)) for each in boxes), default=0.0),
        score=max((float(each.max(initial=0)) for each in scores), default=0.0),
        mask=max(masks, default=0.0) if masks else None,
    )


@torch.no_grad()
def predict(model: nn.Module, picture: np.ndarray, description: dict) -> Detections:
    """What mmdet finds in a picture that is resized as an exported file is told to."""
    canvas, scale = fit(picture, description)
    height, width = picture.shape[:2]
    sample = DetDataSample(
        metainfo=dict(img_shape=canvas.shape[:2], ori_shape=(height, width), scale_factor=scale)
    )
    image = torch.from_numpy(canvas).permute(2, 0, 1).contiguous()
    (result,) = cast(Any, model).test_step(dict(inputs=[image], data_samples=[sample]))
    found = result.pred_instances
    boxes = found.bboxes.numpy()
    if description["size"]:
        boxes = boxes.clip(0, np.array([width, height] * 2, dtype=np.float32))
    masks = found.masks.numpy() if "masks" in found else None
    return Detections(boxes, found.labels.numpy(), found.scores.numpy(), masks)


def match(one: Detections, other: Detections) -> tuple[np.ndarray, np.ndarray]:
    """Places, in the one and in the other, of detections of the same object: class and box."""
    distances = np.abs(one.boxes[:, None] - other.boxes[None]).max(axis=2, initial=0)
    distances += np.abs(one.scores[:, None] - other.scores[None])  # of equal boxes
    distances[one.labels[:, None] != other.labels[None]] = np.inf
    return nearest_pairs(distances, _NEAR)


def nearest_pairs(distances: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of pairs: each row in turn takes the nearest column that is left.

    Args:
        distances: Of shape (M, N).
        limit: Beyond it there is no pair.
    """
    distances = distances.copy()
    pairs = []
    for place in range(len(distances)):
        nearest = int(distances[place].argmin()) if distances.shape[1] else -1
        if nearest >= 0 and distances[place, nearest] <= limit:
            pairs.append((place, nearest))
            distances[:, nearest] = np.inf
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(first, dtype=int), np.array(second, dtype=int)


def _mask_differences(
    one: Detections, other: Detections, first: np.ndarray, second: np.ndarray
) -> float:
    """The largest share of an object's pixels, of both masks together, that differ."""
    assert one.masks is not None and other.masks is not None
    shares = [0.0]
    for i, j in zip(first, second, strict=True):
        together = (one.masks[i] | other.masks[j]).sum()
        shares.append(float((one.masks[i] ^ other.masks[j]).sum() / max(together, 1)))
    return max(shares)
