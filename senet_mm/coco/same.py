"""Whether two annotation files say the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from .annotations import Annotations


def check_same_annotations(first: Annotations, second: Annotations) -> None:
    """Check that two annotation files have the same images, categories, sizes and objects.

    Paths, the order of entries and the ids of annotations may differ; masks too where they were
    not read, as the evaluation of boxes takes nothing from them.

    Raises:
        ValueError: Naming both files and what differs.
    """
    if first is second:
        return
    counts: dict[str, list[Counter[Any]]] = {
        "images": [Counter(file.image_ids) for file in (first, second)],
        "categories": [Counter(file.categories) for file in (first, second)],
        "objects": [_count_objects(file) for file in (first, second)],
    }
    for part, (one, other) in counts.items():
        if one != other:
            raise ValueError(
                f"results on different {part} cannot be compared: {first.path} and {second.path} "
                f"differ in {part} ({(one - other).total()} only in the first, "
                f"{(other - one).total()} only in the second); "
                "evaluate every run on one annotation file"
            )
    known = np.isfinite(first.image_sizes) & np.isfinite(second.image_sizes)
    other_size = np.flatnonzero(((first.image_sizes != second.image_sizes) & known).any(axis=1))
    if other_size.size:
        place = int(other_size[0])
        one, other = (file.image_sizes[place].tolist() for file in (first, second))
        raise ValueError(
            f"results on different images cannot be compared: {first.path} and {second.path} give "
            f"{other_size.size} images another width and height, first image "
            f"{first.image_ids[place]} with {one} and {other}"
        )


def _count_objects(file: Annotations) -> Counter[tuple[Any, ...]]:
    """What evaluation takes from each object; images and categories are sorted by id."""
    objects = file.objects
    columns: list[Any] = [
        objects.image.tolist(),
        objects.category.tolist(),
        map(tuple, objects.boxes.tolist()),
        objects.area.tolist(),
        objects.is_crowd.tolist(),
        map(_hashable, objects.masks or [None] * len(objects.ids)),
    ]
    return Counter(zip(*columns, strict=True))


def _hashable(mask: Any) -> Any:
    """A mask that equals another of the same numbers, be they written as 1 or as 1.0."""
    if isinstance(mask, list):
        return tuple(map(_hashable, mask))
    if isinstance(mask, dict):
        return tuple((key, _hashable(mask[key])) for key in sorted(mask))
    return mask
