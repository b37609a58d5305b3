"""The forms in which COCO writes a mask."""

from __future__ import annotations

from typing import Any

from pycocotools import mask as mask_utils


def compress(mask: Any, height: int, width: int) -> dict[str, Any]:
    """A mask as compressed RLE.

    Args:
        mask: Polygons, or run lengths, compressed or not.
        height: Height of the image.
        width: Width of the image.
    """
    if isinstance(mask, list):
        return mask_utils.merge(mask_utils.frPyObjects(mask, height, width))
    if isinstance(mask["counts"], list):
        return mask_utils.frPyObjects(mask, height, width)
    return mask
