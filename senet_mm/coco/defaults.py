"""What stands for keys that an annotation file lacks, where there is one truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as mask_utils

from .masks import compress

_BOM = b"\xef\xbb\xbf"


def fill_areas(
    objects: dict[str, Any],
    annotations: Sequence[Mapping[str, Any]],
    sizes: np.ndarray,
    wrong_masks: Sequence[int],
) -> None:
    """Set the area of objects that have none: that of the mask, else that of the box.

    Args:
        objects: Columns of the N annotations, changed in place.
        annotations: Their entries.
        sizes: (I, 2) width and height of the images; infinite where they are not known.
        wrong_masks: Places of the annotations without a usable mask.
    """
    unknown = np.flatnonzero(objects["absent"]["area"])
    if not unknown.size:
        return
    boxes, areas = objects["bbox"], objects["area"]
    areas[unknown] = np.prod(np.maximum(boxes[unknown, 2:], 0), axis=1)
    for place in sorted(set(unknown.tolist()) - set(wrong_masks)):
        mask = annotations[place]["segmentation"]
        areas[place] = mask_utils.area(_compressed(mask, sizes[objects["image"][place]]))


def _compressed(mask: Any, size: np.ndarray) -> dict[str, Any]:
    if isinstance(mask, dict):
        return compress(mask, *mask["size"])
    if not np.isfinite(size).all():  # then as large as the mask
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in mask])
        size = np.maximum(np.ceil(points.max(axis=0)), 1)
    return compress(mask, int(size[1]), int(size[0]))


def describe_defaults(
    content: bytes, images: Mapping[str, np.ndarray], annotations: Mapping[str, np.ndarray]
) -> tuple[str, ...]:
    """What mmdet and pycocotools do not read in a file that is right otherwise.

    Args:
        content: The file.
        images: By key, which images lack it.
        annotations: By key, which annotations lack it. Nothing reads an absent ``ignore``.
    """
    unsized = int((images["width"] | images["height"]).sum())
    without = {key: int(annotations[key].sum()) for key in ("area", "iscrowd")}
    told = {
        "area is that of the mask, or of the box": without["area"],
        "iscrowd is 0": without["iscrowd"],
    }
    texts = [
        f"{rule} where it is absent ({count} objects)" for rule, count in told.items() if count
    ]
    if unsized:
        texts.append(f"width and height are the picture's where they are absent ({unsized} images)")
    if not _is_plain(content):
        texts.append("it is UTF-8 without a byte order mark")
    return tuple(texts)


def _is_plain(content: bytes) -> bool:
    """Whether a file is UTF-8 without a byte order mark, as pycocotools opens it."""
    if content.startswith(_BOM):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:  # UTF-16 or UTF-32, which Python's json finds out
        return False
    return b"\0" not in content[:4]
