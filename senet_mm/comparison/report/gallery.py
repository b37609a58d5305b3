"""The images where two detectors differ most, drawn side by side with the ground truth."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mmengine.utils import track_iter_progress
from pycocotools import mask as mask_utils

from ...coco.accumulate import accumulate
from ...coco.matches import Matches
from ...coco.results import Detections
from ...runs.data_root import palette
from ..comparison import Evaluated
from .pictures import Box, draw_panels

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


def galleries(
    evaluated: Evaluated, names: Sequence[str], *, num_images: int = 8, progress: bool = False
) -> tuple[dict[str, list[Exhibit]], list[str]]:
    """Draw the images that speak most for one of two detectors, and for the other.

    Args:
        evaluated: What was compared, its image folder known.
        names: Names of the detectors.
        num_images: How many images to draw for each detector but the baseline, half of them for
            each side; an odd number is rounded up.
        progress: Whether to show a bar on stderr.

    Returns:
        The images by the detector that is set against the baseline, and a remark on each image
        that cannot be read.
    """
    tasks = [
        (index, run, start)
        for index, runs in enumerate(evaluated.matches)
        for run in runs
        for start in range(0, run.num_images, _BLOCK)
    ]
    parts: list[list[np.ndarray]] = [[] for _ in evaluated.matches]
    for index, run, start in track_iter_progress(tasks, file=sys.stderr) if progress else tasks:
        parts[index].append(_effects(run, start))
    # (I,) for each detector, the mean over its runs
    effects = [
        np.concatenate(part).reshape(len(runs), -1).mean(axis=0)
        for part, runs in zip(parts, evaluated.matches, strict=True)
    ]
    exhibits: dict[str, list[Exhibit]] = {}
    missing: dict[str, None] = {}
    for index, name in enumerate(names[1:], start=1):
        effect = np.nan_to_num(effects[index] - effects[0])
        exhibits[name] = []
        for image in _choose(effect, num_images):
            try:
                exhibits[name].append(_exhibit(evaluated, names, index, image, effect[image]))
            except FileNotFoundError as error:
                missing[f"The gallery lacks an {error}."] = None
    return exhibits, list(missing)


def _effects(run: Matches, start: int) -> np.ndarray:
    """AP of all images minus that of all but one, for each of a block of images."""
    weights = 1 - np.eye(run.num_images, dtype=np.int32)[start : start + _BLOCK]
    weights = np.concatenate([np.ones((1, run.num_images), dtype=np.int32), weights])
    precision = accumulate(run, weights).metrics()[:, 0]
    return precision[0] - precision[1:]


def _choose(effect: np.ndarray, num_images: int) -> list[int]:
    """The images of the largest and of the smallest effects."""
    order, half = np.argsort(-effect, kind="stable").tolist(), (num_images + 1) // 2
    first = [image for image in order[:half] if effect[image] > 0]
    return first + [image for image in order[::-1][:half] if effect[image] < 0]


def _exhibit(
    evaluated: Evaluated, names: Sequence[str], index: int, image: int, effect: float
) -> Exhibit:
    truth = evaluated.truth
    file_name, classes = truth.file_names[image], truth.evaluated_classes
    colors = palette(len(classes))
    annotated = truth.objects
    objects = [
        Box(
            annotated.boxes[row],
            classes[annotated.category[row]],
            colors[annotated.category[row]],
        )
        for row in truth.objects_in(image, image + 1)
        if not annotated.is_crowd[row]
    ]
    panels = {"ground truth": objects}
    for number in (0, index):
        panels[names[number]] = _found(evaluated.detections[number], image, classes, colors)
    picture = draw_panels(evaluated.image_dir / file_name, panels)
    return Exhibit(file_name, float(effect), picture)


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
