"""Classes by how often they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .annotations import Objects

NAMES = ("rare", "common", "frequent")
_FEWEST = 6  # classes; of fewer, each is looked at by itself


@dataclass(frozen=True, eq=False)
class ClassGroup:
    """A third of the classes.

    Attributes:
        name: One of :data:`NAMES`.
        classes: (C,) indices of the classes.
        fewest: Test images with the rarest of them.
        most: Test images with the most frequent of them.
        num_images: Test images with an object of any of them.
    """

    name: str
    classes: np.ndarray
    fewest: int
    most: int
    num_images: int


def class_groups(objects: Objects, num_classes: int) -> tuple[ClassGroup, ...]:
    """The classes with an object in three groups of equal size, by their number of test images.

    Test images, since they are at hand for every results file; a random split has the same order.
    LVIS' bounds (10 and 100 training images) would put all of COCO's classes into one group.

    Returns:
        The groups, the rarest first; none where fewer than 6 classes have an object.
    """
    category, image = _pairs(objects)
    counts = images_per_class(objects, num_classes)
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    if len(order) < _FEWEST:
        return ()
    return tuple(
        ClassGroup(
            name=name,
            classes=np.sort(classes),
            fewest=int(counts[classes].min()),
            most=int(counts[classes].max()),
            num_images=len(np.unique(image[np.isin(category, classes)])),
        )
        for name, classes in zip(NAMES, np.array_split(order, len(NAMES)), strict=True)
    )


def images_per_class(objects: Objects, num_classes: int) -> np.ndarray:
    """(K,) number of images that have an object of each class, crowds left out."""
    return np.bincount(_pairs(objects)[0], minlength=num_classes)


def _pairs(objects: Objects) -> np.ndarray:
    """(2, P) each class and image that have an object in common, once."""
    real = ~objects.is_crowd
    return np.unique(np.stack([objects.category[real], objects.image[real]]), axis=1)
