"""COCO's matches of detections to objects, kept compactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassMatches:
    """One class: its D detections by falling score, in COCOeval's order, and its objects.

    COCOeval has A = 4 area ranges (all, small, medium, large) and T = 10 IoU thresholds.

    Attributes:
        image: (D,) int32, index of the image.
        rank: (D,) int16, place among the detections of the class in the image, from 0.
        hits: (A, T, D) bool, whether it found an object that counts in the range.
        counted: (A, T, D) bool, whether it counts in the range; it is a false positive if it
            is no hit.
        objects: A int32 arrays, the image index of each object that counts in the range.
    """

    image: np.ndarray
    rank: np.ndarray
    hits: np.ndarray
    counted: np.ndarray
    objects: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Matches:
    """All that evaluation needs of one results file.

    Attributes:
        num_images: Number I of images, with or without objects.
        classes: Name of each category.
        by_class: Matches of each category.
    """

    num_images: int
    classes: tuple[str, ...]
    by_class: tuple[ClassMatches, ...]

    def subset(self, images: np.ndarray) -> Matches:
        """The matches in some of the images, which take the order given (no index twice)."""
        place = np.full(self.num_images, -1, dtype=np.int32)
        place[images] = np.arange(len(images))
        return Matches(len(images), self.classes, tuple(_subset(c, place) for c in self.by_class))


def _subset(matches: ClassMatches, place: np.ndarray) -> ClassMatches:
    image = place[matches.image]
    kept = np.flatnonzero(image >= 0)
    objects = [place[images] for images in matches.objects]
    return ClassMatches(
        image=image[kept],
        rank=matches.rank[kept],
        hits=matches.hits[:, :, kept],
        counted=matches.counted[:, :, kept],
        objects=tuple(images[images >= 0] for images in objects),
    )
