"""Masks that pycocotools would read wrongly, or not at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_NUMBERS = {int, float}


def find_wrong_masks(annotations: Sequence[Mapping[str, Any]], sizes: np.ndarray) -> list[int]:
    """Places of the annotations whose ``segmentation`` is no mask of their image.

    Args:
        annotations: The N entries of an annotation file.
        sizes: (N, 2) width and height of each one's image; infinite where that is not known.
    """
    return [
        place
        for place, (entry, size) in enumerate(zip(annotations, sizes.tolist(), strict=True))
        if _problem(entry.get("segmentation"), size)
    ]


def describe_wrong(
    path: Path, annotations: Sequence[Mapping[str, Any]], sizes: np.ndarray, wrong: Sequence[int]
) -> str | None:
    """One line on the wrong masks of a file and what to do; None where there is none."""
    if not wrong:
        return None
    first = annotations[wrong[0]]
    mask = first.get("segmentation")
    kind = "a segmentation that is no mask" if mask else "no segmentation"
    problem = f", which {_problem(mask, sizes[wrong[0]].tolist())}" if mask else ""
    return (
        f"{path}: {len(wrong)} of {len(annotations)} annotations have {kind}, first "
        f"{first['id']}{problem}. Masks cannot be trained or evaluated on it, only boxes: give "
        "every object a mask, or use a detector (in a comparison, the iou type) of boxes"
    )


def _problem(mask: Any, size: Sequence[float]) -> str | None:
    """What is wrong with a mask of an image of a width and height, if something is."""
    if not mask:
        return "has none"
    if isinstance(mask, list):
        return _problem_of_polygons(mask)
    if isinstance(mask, dict):
        return _problem_of_runs(mask, size)
    return f"has segmentation {mask!r:.40}; expected polygons or run lengths"


def _problem_of_polygons(polygons: list[Any]) -> str | None:
    for polygon in polygons:
        if type(polygon) is not list:
            flat = "the flat list " if type(polygon) in _NUMBERS else ""
            return f"has {flat}{polygons!r:.40}; expected a list of polygons [[x1, y1, ...], ...]"
        if len(polygon) < 6 or len(polygon) % 2:
            return f"has a polygon of {len(polygon)} numbers; expected x and y of 3 points or more"
        if not set(map(type, polygon)) <= _NUMBERS or not _is_finite_sum(polygon):
            return f"has the polygon {polygon!r:.60}; expected finite numbers"
    return None


def _is_finite_sum(numbers: Sequence[float]) -> bool:
    try:
        return math.isfinite(sum(numbers))
    except OverflowError:  # integers beyond what a float holds
        return False


def _problem_of_runs(mask: dict[str, Any], size: Sequence[float]) -> str | None:
    given = mask.get("size")
    if not isinstance(given, list) or len(given) != 2 or set(map(type, given)) != {int}:
        return f"has run lengths of size {given!r:.40}; expected [height, width] of its image"
    if math.isfinite(sum(size)) and given != [size[1], size[0]]:
        height, width = int(size[1]), int(size[0])
        return f"has run lengths of size {given}; its image has [height, width] {[height, width]}"
    total = run_total(mask.get("counts"))
    if total is None:
        return f"has counts {mask.get('counts')!r:.40}; expected run lengths"
    if total != given[0] * given[1]:
        return f"has run lengths of {total} pixels in all; its size is {given}"
    return None


def run_total(counts: Any) -> int | None:
    """Number of pixels that run lengths cover, compressed or not; None where they are none."""
    if isinstance(counts, list):
        whole = set(map(type, counts)) == {int} and min(counts) >= 0
        return sum(counts) if whole else None
    if not isinstance(counts, str) or not counts.isascii():
        return None
    return _compressed_total(counts)


def _compressed_total(counts: str) -> int | None:
    """Of pycocotools' text: 5 bits a character, the lowest first, and 1 that says more follow."""
    chunks = np.frombuffer(counts.encode(), dtype=np.uint8).astype(np.int64) - 48
    if not chunks.size or chunks.min() < 0 or chunks.max() > 63 or chunks[-1] & 32:
        return None
    last = np.flatnonzero(chunks & 32 == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    if (last - first).max() > 6:  # more than 32 bits
        return None
    place = np.arange(chunks.size) - np.repeat(first, last - first + 1)
    values = np.add.reduceat((chunks & 31) << (5 * place), first)
    values -= np.where(chunks[last] & 16, 1 << (5 * (last - first + 1)), 0)
    # each but the first three is the difference to the one before the last
    runs = values.copy()
    runs[1::2], runs[2::2] = np.cumsum(values[1::2]), np.cumsum(values[2::2])
    return int(runs.sum()) if runs.min() >= 0 else None
