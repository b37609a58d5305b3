"""The images where two detectors differ most, drawn side by side with the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as mask_utils

from ..utils.data_root import palette
from .coco_accumulate import accumulate
from .coco_matches import Matches
from .comparison import Evaluated
from .pictures import Box, draw_panels
from .results import Detections

SHOWN_SCORE = 0.3
_BLOCK = 250  # images that are left out at once; bounds the memory


@dataclass(frozen=True)
class Exhibit:
    """An image of the gallery.

    Attributes:
        file_name: The image's.
        effect: How much of the AP difference goes without it, in 0..1; above 0 where the image
            speaks for the second detector.
        picture: Ground truth and both detectors, (height, width, 3) in BGR order.
    """

    file_name: str
    effect: float
    picture: np.ndarray


def effects(baseline: Sequence[Matches], other: Sequence[Matches]) -> np.ndarray:
    """What each image adds to the difference in AP: all images' minus that of all but this one.

    Args:
        baseline: The runs of one detector, on I images.
        other: Those of the other.

    Returns:
        (I,) differences in 0..1.
    """
    num_images = baseline[0].num_images
    everything = np.ones((1, num_images), dtype=np.int32)
    whole = _difference(baseline, other, everything)[0]
    without = [
        _difference(baseline, other, 1 - np.eye(num_images, dtype=np.int32)[start : start + _BLOCK])
        for start in range(0, num_images, _BLOCK)
    ]
    return np.nan_to_num(whole - np.concatenate(without))


def gallery(
    evaluated: Evaluated, names: Sequence[str], index: int, *, num_images: int = 8
) -> list[Exhibit]:
    """Draw the images that speak most for one of two detectors, and for the other.

    Args:
        evaluated: What was compared, its image folder known.
        names: Names of the detectors.
        index: The detector to set against the baseline.
        num_images: How many images to draw, half of them for each side.

    Raises:
        FileNotFoundError: If an image cannot be read.
    """
    effect = effects(evaluated.matches[0], evaluated.matches[index])
    order = np.argsort(-effect, kind="stable")
    half = num_images // 2
    chosen = [i for i in order[:half] if effect[i] > 0]
    chosen += [i for i in order[::-1][:half] if effect[i] < 0]
    return [_exhibit(evaluated, names, index, int(image), effect[image]) for image in chosen]


def _difference(
    baseline: Sequence[Matches], other: Sequence[Matches], weights: np.ndarray
) -> np.ndarray:
    first, second = (
        np.mean([accumulate(run, weights).metrics()[:, 0] for run in runs], axis=0)
        for runs in (baseline, other)
    )
    return second - first


def _exhibit(
    evaluated: Evaluated, names: Sequence[str], index: int, image: int, effect: float
) -> Exhibit:
    truth = evaluated.truth
    info = truth.coco.imgs[truth.image_ids[image]]
    colors = palette(len(truth.category_ids))
    place = {key: number for number, key in enumerate(truth.category_ids)}
    objects = [
        Box(a["bbox"], truth.classes[place[a["category_id"]]], colors[place[a["category_id"]]])
        for a in truth.coco.imgToAnns[truth.image_ids[image]]
        if not a["iscrowd"]
    ]
    panels = {"ground truth": objects}
    for number in (0, index):
        panels[names[number]] = _found(evaluated.detections[number], image, truth.classes, colors)
    picture = draw_panels(evaluated.image_dir / info["file_name"], panels)
    return Exhibit(info["file_name"], float(effect), picture)


def _found(
    detections: Detections, image: int, classes: Sequence[str], colors: Sequence[tuple]
) -> list[Box]:
    rows = np.flatnonzero((detections.image == image) & (detections.score >= SHOWN_SCORE))
    boxes = []
    for row in rows:
        shape, category = detections.shapes[row], detections.category[row]
        xywh = shape if detections.iou_type == "bbox" else mask_utils.toBbox(shape)
        label = f"{classes[category]} {detections.score[row]:.2f}"
        boxes.append(Box(xywh, label, colors[category]))
    return boxes
