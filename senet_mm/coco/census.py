"""What is in an annotation file, counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pycocotools import mask as mask_utils
from pycocotools.cocoeval import Params

from .annotations import Annotations

SIZES = ("small", "medium", "large")
OVERLAP = 0.5  # IoU from which on two objects crowd each other
_BOUNDS = [high for _, high in Params("bbox").areaRng[1:3]]  # areas in pixels


@dataclass(frozen=True, eq=False)
class Census:
    """Counts of I images with N objects of K classes; crowds are no objects.

    Attributes:
        per_image: (I,) objects of each image.
        per_class: (K,) objects of each class.
        images_of_class: (K,) images with an object of each class.
        sizes: (K, 3) objects of each class by :data:`SIZES`, as COCO bounds them.
        num_crowds: Annotations that count for nothing.
        num_overlapping: Objects that another one of their image overlaps by :data:`OVERLAP`.
        num_repeated: Objects with the class and the box of one before them.
    """

    per_image: np.ndarray
    per_class: np.ndarray
    images_of_class: np.ndarray
    sizes: np.ndarray
    num_crowds: int
    num_overlapping: int
    num_repeated: int


def census(annotations: Annotations) -> Census:
    """Count what is in a file; classes are in the order of ``category_ids``."""
    objects, real = annotations.objects, ~annotations.objects.is_crowd
    image, category = objects.image[real], objects.category[real]
    boxes, area = objects.boxes[real], objects.area[real]
    num_images, num_classes = len(annotations.image_ids), len(annotations.category_ids)
    pairs = np.unique(np.stack([category, image], axis=1), axis=0)
    sizes = np.zeros((num_classes, len(SIZES)), dtype=int)
    np.add.at(sizes, (category, np.searchsorted(_BOUNDS, area)), 1)
    whole = np.column_stack([image, category, boxes])
    return Census(
        per_image=np.bincount(image, minlength=num_images),
        per_class=np.bincount(category, minlength=num_classes),
        images_of_class=np.bincount(pairs[:, 0], minlength=num_classes),
        sizes=sizes,
        num_crowds=int((~real).sum()),
        num_overlapping=_overlapping(image, boxes),
        num_repeated=len(whole) - len(np.unique(whole, axis=0)),
    )


def _overlapping(image: np.ndarray, boxes: np.ndarray) -> int:
    order = np.argsort(image, kind="stable")
    starts = np.flatnonzero(np.diff(image[order], prepend=-1))
    total = 0
    for own in np.split(boxes[order], starts[1:]):
        if len(own) > 1:
            overlaps = np.asarray(mask_utils.iou(own, own, [0] * len(own)))
            np.fill_diagonal(overlaps, 0)
            total += int((overlaps.max(axis=1) >= OVERLAP).sum())
    return total
