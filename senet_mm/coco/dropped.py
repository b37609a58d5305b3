"""Objects that mmdet leaves out without a word, and boxes that are not COCO's."""

from __future__ import annotations

import numpy as np

from .annotations import Annotations

_NEARLY_ALL = 0.9
_TOLERANCE = 1.0  # pixels by which a box may reach over the image's edge
_ENOUGH = 4  # boxes that must agree before they are taken for another format


def check_objects(annotations: Annotations, sizes: np.ndarray | None = None) -> list[str]:
    """Count the objects of a file that mmdet leaves out of training.

    Args:
        annotations: The file.
        sizes: (I, 2) width and height of its images, where the file does not say.

    Returns:
        A sentence where there are some, and one where boxes leave their image.

    Raises:
        ValueError: If nearly all objects would be left out, or if boxes are corners or
            normalized, which COCO's are not.
    """
    objects, path = annotations.objects, annotations.path
    total = len(objects.ids)
    if not total:
        return []
    sizes = annotations.image_sizes if sizes is None else sizes
    reasons = _reasons(annotations, sizes)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
    dropped = sum(reasons.values())
    over = _reach_over(objects.boxes, sizes[objects.image])
    cause = _other_format(objects.boxes, sizes[objects.image], over)
    if cause or dropped >= _NEARLY_ALL * total:
        wrong = f"{dropped} of {total} objects would be dropped ({told})" if dropped else ""
        raise ValueError(
            f"{path}: {wrong}{'; ' if wrong and cause else ''}{cause or ''}; expected bbox "
            "[x, y, width, height] in pixels, with sides of 1 or more, inside of its image"
        )
    notes = []
    if dropped:
        notes.append(
            f"{dropped} of {total} objects of {path} will be dropped by mmdet, because they have "
            f"what it does not train on: {told}; an evaluation counts them all the same"
        )
    if over.any():
        notes.append(
            f"{int(over.sum())} of {total} boxes of {path} reach over their image's edge by more "
            "than a pixel"
        )
    return notes


def _reasons(annotations: Annotations, sizes: np.ndarray) -> dict[str, int]:
    """How many objects mmdet's CocoDataset leaves out, each counted once."""
    objects = annotations.objects
    low, sides = objects.boxes[:, :2], objects.boxes[:, 2:]
    overlap = np.minimum(low + sides, sizes[objects.image]) - np.maximum(low, 0)
    reasons = {
        "with ignore": objects.is_ignored,
        "with a side under a pixel": (sides < 1).any(axis=1),
        "outside of their image": (overlap <= 0).any(axis=1),
        "of no area": objects.area <= 0,
    }
    counted = np.zeros(len(objects.ids), dtype=bool)
    counts = {}
    for reason, holds in reasons.items():
        counts[reason] = int((holds & ~counted).sum())
        counted |= holds
    return counts


def _reach_over(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    over = (boxes[:, :2] < -_TOLERANCE) | (boxes[:, :2] + boxes[:, 2:] > sizes + _TOLERANCE)
    return over.any(axis=1)


def _other_format(boxes: np.ndarray, sizes: np.ndarray, over: np.ndarray) -> str | None:
    """The format that boxes seem to have, if not COCO's."""
    if (np.abs(boxes) <= 1).all():
        return "all numbers of its boxes are in 0..1: multiply them by the image's width and height"
    # read as corners nearly all are boxes inside of their image, and many are not as COCO's
    corners = (boxes[:, 2:] > boxes[:, :2]) & (boxes[:, 2:] <= sizes + _TOLERANCE)
    as_corners = corners.all(axis=1).mean()
    if len(boxes) >= _ENOUGH and as_corners > 0.99 and over.mean() > 0.2:
        return (
            f"{int(over.sum())} of {len(boxes)} boxes reach over their image's edge, and all are "
            "boxes inside of it if read as corners [x1, y1, x2, y2]: write x2 - x1 and y2 - y1"
        )
    return None
