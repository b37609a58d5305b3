"""The annotation file that results are evaluated against."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO

from .files import read_coco


@dataclass(frozen=True)
class Truth:
    """A checked annotation file. Images and categories are sorted by id, as COCOeval does.

    Attributes:
        path: The file.
        coco: Its content.
        image_ids: Ids of the I images.
        category_ids: Ids of the K categories.
        image_sizes: (I, 2) width and height in pixels; infinite where the file does not say.
    """

    path: Path
    coco: COCO
    image_ids: tuple[int | str, ...]
    category_ids: tuple[int, ...]
    image_sizes: np.ndarray

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each category, in the order of ``category_ids``."""
        return tuple(self.coco.cats[key]["name"] for key in self.category_ids)


def read_truth(path: str | Path) -> Truth:
    """Read and check an annotation file for evaluation.

    An object without ``iscrowd`` is no crowd.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no COCO instances file, if an id of an image, category or
            annotation is there twice or of a wrong kind, or if an annotation has no area.
    """
    path = Path(path)
    read_coco(path)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    coco.dataset.setdefault("annotations", [])
    for part in ("images", "categories", "annotations"):
        _check_ids(path, part, [entry["id"] for entry in coco.dataset[part]])
    for annotation in coco.dataset["annotations"]:
        area = annotation.get("area")
        if not isinstance(area, int | float) or not 0 <= area < np.inf:
            raise ValueError(
                f"{path}: annotation {annotation['id']} has area {area!r}; "
                "expected a number of pixels, 0 or more"
            )
        annotation.setdefault("iscrowd", 0)
    if 0 in coco.anns:
        warnings.warn(
            f"{path} has an annotation with id 0, an object that COCOeval never takes as found: "
            "number annotations from 1",
            stacklevel=2,
        )
    image_ids = tuple(np.unique(list(coco.imgs)).tolist())
    images = [coco.imgs[key] for key in image_ids]
    sizes = [(image.get("width", np.inf), image.get("height", np.inf)) for image in images]
    category_ids = tuple(np.unique(list(coco.cats)).tolist())
    return Truth(path, coco, image_ids, category_ids, np.array(sizes, dtype=float))


def check_same_truth(first: Truth, second: Truth) -> None:
    """Check that two annotation files have the same images, categories and objects.

    Paths, the order of entries and the ids of annotations may differ.

    Raises:
        ValueError: Naming both files and what differs.
    """
    pairs = {
        "images": [set(truth.image_ids) for truth in (first, second)],
        "categories": [
            set(zip(truth.category_ids, truth.classes, strict=True)) for truth in (first, second)
        ],
        "objects": [
            Counter(map(_object, truth.coco.dataset["annotations"])) for truth in (first, second)
        ],
    }
    for part, (one, other) in pairs.items():
        if one != other:
            raise ValueError(
                f"results on different {part} cannot be compared: {first.path} and {second.path} "
                f"differ in {part} ({_count(one - other)} only in the first, "
                f"{_count(other - one)} only in the second); "
                "evaluate every run on one annotation file"
            )


def _object(annotation: dict) -> tuple:
    """What evaluation takes from an annotation."""
    return (
        annotation["image_id"],
        annotation["category_id"],
        tuple(annotation["bbox"]),
        annotation["area"],
        bool(annotation["iscrowd"]),
        str(annotation.get("segmentation")),
    )


def _count(difference: set | Counter) -> int:
    return difference.total() if isinstance(difference, Counter) else len(difference)


def _check_ids(path: Path, part: str, ids: Sequence[object]) -> None:
    # COCOeval keeps the ids of annotations in arrays of numbers
    allowed = (int,) if part == "annotations" else (int, str)
    kinds = {type(key) for key in ids}
    if len(kinds) > 1 or not kinds <= set(allowed):
        raise ValueError(
            f"{path}: ids of {part!r} are {' and '.join(sorted(k.__name__ for k in kinds))}; "
            f"expected all {' or all '.join(k.__name__ for k in allowed)}"
        )
    repeated = [key for key, count in Counter(ids).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{path}: {len(repeated)} ids of {part!r} are there more than once, first "
            f"{repeated[0]!r}; every id must be unique"
        )
