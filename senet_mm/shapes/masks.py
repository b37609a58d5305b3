"""COCO annotation fields of a binary mask, exact to the pixel."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from pycocotools import mask as mask_utils


def mask_fields(mask: np.ndarray) -> dict[str, Any]:
    """Describes a mask as COCO does, so that its decoded area and tight box equal the fields.

    Args:
        mask: (H, W) bool, not empty.

    Returns:
        ``segmentation`` (polygons, or compressed RLE for a mask with a hole), ``area`` in pixels
        and ``bbox`` as x, y, width, height.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return {
        "segmentation": _outlines(mask) or _run_lengths(mask),
        "area": int(np.count_nonzero(mask)),
        "bbox": [x, y, width, height],
    }


def _outlines(mask: np.ndarray) -> list[list[int]] | None:
    """COCO polygons along the mask's pixel edges; None where a hole makes polygons wrong."""
    # Doubled, a pixel's two border columns (or rows) map to its two edges: (2x, 2x + 1) to
    # (x, x + 1). Polygons through pixel centres would lose half a pixel all around.
    doubled = mask.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if (hierarchy[0, :, 3] >= 0).any():
        return None
    return [_corners((contour[:, 0] + 1) // 2).ravel().tolist() for contour in contours]


def _corners(points: np.ndarray) -> np.ndarray:
    """Drops the points of a closed (N, 2) outline where it does not turn."""
    points = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    return points[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]


def _run_lengths(mask: np.ndarray) -> dict[str, Any]:
    rle = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(mask.shape), "counts": rle["counts"].decode("ascii")}
