"""The images where two detectors differ most, drawn side by side with the ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import cv2
import numpy as np
from pycocotools import mask as mask_utils
from tqdm import tqdm

from ...coco.annotations import Annotations
from ...coco.left_out import effects_of_images
from ...coco.masks import compress
from ...coco.matches import Matches
from ...coco.results import Detections
from ..evaluation import Evaluation
from .pictures import Drawing, class_color, draw_panels

SHOWN_SCORE = 0.3


@dataclass(frozen=True)
class Exhibit:
    """An image of the gallery.

    Attributes:
        file_name: The image's.
        effect: How much of the AP difference goes without it, in 0..1; above 0 where the image
            speaks for the second detector.
        picture: Ground truth and both detectors, (height, width, 3) in RGB order.
    """

    file_name: str
    effect: float
    picture: np.ndarray


def galleries(
    evaluation: Evaluation, image_dir: Path, *, num_images: int = 8, progress: bool = False
) -> tuple[dict[str, list[Exhibit]], list[str]]:
    """Draw the images that speak most for one of two detectors, and for the other.

    Where masks were evaluated, masks are drawn.

    Args:
        evaluation: What was evaluated.
        image_dir: Where the images are.
        num_images: How many images to draw for each detector but the baseline, half of them for
            each side; an odd number is rounded up.
        progress: Whether to show a bar on stderr.

    Returns:
        The images by the detector that is set against the baseline, and a remark on each image
        that cannot be read.
    """
    effects = _mean_effects(evaluation, progress)
    baseline, *others = effects
    exhibits: dict[str, list[Exhibit]] = {}
    missing: dict[str, None] = {}
    for name in others:
        effect = np.nan_to_num(effects[name] - effects[baseline])
        exhibits[name] = []
        for image in _choose(effect, num_images):
            panels = _panels(evaluation, (baseline, name), image)
            file_name = evaluation.annotations.file_names[image]
            try:
                picture = draw_panels(inside(image_dir, file_name), panels)
            except (OSError, ValueError, cv2.error) as error:
                missing[f"The gallery lacks an {error}."] = None
            else:
                exhibits[name].append(Exhibit(file_name, float(effect[image]), picture))
    return exhibits, list(missing)


def inside(image_dir: Path, file_name: str) -> Path:
    """The path of an image; annotation files come from anywhere, and name no other files here."""
    name = PurePath(file_name)
    if name.is_absolute() or ".." in name.parts:
        raise ValueError(f"image {file_name}, which lies outside of {image_dir}")
    return image_dir / name


def _mean_effects(evaluation: Evaluation, progress: bool) -> dict[str, np.ndarray]:
    """(I,) effects of the images on each detector's AP, the mean over its runs."""
    total = sum(map(len, evaluation.matches.values()))
    with tqdm(total=total, desc="gallery", disable=not progress) as bar:

        def effects(run: Matches) -> np.ndarray:
            found = effects_of_images(run)
            bar.update()
            return found

        return {
            name: np.mean([effects(run) for run in runs], axis=0)
            for name, runs in evaluation.matches.items()
        }


def _choose(effect: np.ndarray, num_images: int) -> list[int]:
    """The images of the largest and of the smallest effects."""
    order, half = np.argsort(-effect, kind="stable").tolist(), (num_images + 1) // 2
    first = [image for image in order[:half] if effect[image] > 0]
    return first + [image for image in order[::-1][:half] if effect[image] < 0]


def _panels(evaluation: Evaluation, names: Sequence[str], image: int) -> dict[str, list[Drawing]]:
    """The ground truth of an image, and what the first run of each of some detectors found."""
    annotations = evaluation.annotations
    panels = {"ground truth": object_drawings(annotations, image)}
    for name in names:
        detections = evaluation.detections[name][0]
        panels[name] = _draw_detections(detections, annotations.evaluated_classes, image)
    return panels


def object_drawings(annotations: Annotations, image: int, *, crowds: bool = False) -> list[Drawing]:
    """The objects of an image, to be drawn; crowds only where they are asked for."""
    objects, classes = annotations.objects, annotations.evaluated_classes
    width, height = annotations.image_sizes[image]
    drawings = []
    for row in annotations.objects_in(image, image + 1):
        if objects.is_crowd[row] and not crowds:
            continue
        category, mask = objects.category[row], None
        if objects.masks is not None:
            mask = compress(objects.masks[row], int(height), int(width))
        label, color = classes[category], class_color(category)
        if objects.is_crowd[row]:
            label = f"{label} (ignored)"
        drawings.append(Drawing(objects.boxes[row], label, color, mask))
    return drawings


def _draw_detections(detections: Detections, classes: Sequence[str], image: int) -> list[Drawing]:
    drawings = []
    for row in np.flatnonzero((detections.image == image) & (detections.score >= SHOWN_SCORE)):
        shape, category = detections.shapes[row], detections.category[row]
        mask = shape if detections.iou_type == "segm" else None
        box = shape if mask is None else mask_utils.toBbox(mask)
        label = f"{classes[category]} {detections.score[row]:.2f}"
        drawings.append(Drawing(box, label, class_color(category), mask))
    return drawings
