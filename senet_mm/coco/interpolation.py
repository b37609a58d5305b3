"""COCO's interpolated precision: at each recall the best that is reached there or later."""

from __future__ import annotations

import numpy as np
from pycocotools.cocoeval import Params

RECALLS = Params("bbox").recThrs  # 0, 0.01, ..., 1


def interpolate(
    found: np.ndarray, counted: np.ndarray, objects: np.ndarray, recalls: np.ndarray = RECALLS
) -> tuple[np.ndarray, np.ndarray]:
    """(B, N) interpolated precision at each hit, and at how many of the recalls it is read.

    Args:
        found: (B, N) weight of the hits up to each.
        counted: (B, N) weight of the detections that count up to each.
        objects: (B, 1) weight of the objects.
        recalls: The 101 recalls.
    """
    return envelope(found, counted), recalls_read(found, objects, recalls)


def envelope(found: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """(B, N) interpolated precision at each hit, see :func:`interpolate`."""
    precision = found / (counted + np.spacing(1))
    backwards = precision[:, ::-1]
    np.maximum.accumulate(backwards, axis=1, out=backwards)
    return precision


def recalls_read(found: np.ndarray, objects: np.ndarray, recalls: np.ndarray) -> np.ndarray:
    """(B, N) at how many of the recalls the precision at each hit is read."""
    recall = found / objects
    # number of recalls reached, compared as floats as COCOeval does: 0.57 is not 57 * 0.01
    nearest = np.rint(recall * (len(recalls) - 1)).astype(np.intp)
    reached = nearest + (recalls.take(nearest) <= recall)
    reached[:, 1:] -= reached[:, :-1].copy()
    return reached
