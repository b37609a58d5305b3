"""Check COCO annotation files and the images they name, before a run starts."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

_NAMED = 3  # how many bad entries a message names


@dataclass(frozen=True)
class CocoFile:
    """What a run needs to know of an annotation file before mmdet loads it.

    Attributes:
        categories: (id, name) of each category, in the file's order.
        file_names: The images' file names.
        num_annotations: Number of annotated objects.
    """

    categories: tuple[tuple[int, str], ...]
    file_names: tuple[str, ...]
    num_annotations: int

    @property
    def classes(self) -> tuple[str, ...]:
        """Category names, in the file's order."""
        return tuple(name for _, name in self.categories)


def expected_layout() -> str:
    """One sentence on where COCO's files are looked for."""
    return (
        "Expected is COCO's layout: train2017/ and val2017/ with images, "
        "annotations/instances_train2017.json and annotations/instances_val2017.json; "
        "`make demo` needs no COCO."
    )


@functools.lru_cache(maxsize=8)
def read_coco(path: Path) -> CocoFile:
    """Read and check an annotation file.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is not JSON, lacks a part, or an annotation names an
            unknown image or category, or has no id or no box of four finite numbers.
    """
    if not path.is_file():
        raise FileNotFoundError(f"annotation file {path} not found. {expected_layout()}")
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON file: {error}") from error
    if isinstance(data, dict):
        data.setdefault("annotations", [])  # test-dev's files have none
    for part in ("images", "annotations", "categories"):
        if not isinstance(data, dict) or not isinstance(data.get(part), list):
            raise ValueError(f"{path} is not a COCO instances file: it has no list {part!r}")
    try:
        return _check(path, data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a COCO instances file: an entry lacks {error}") from error


def _check(path: Path, data: dict) -> CocoFile:
    image_ids = {image["id"] for image in data["images"]}
    category_ids = {category["id"] for category in data["categories"]}
    if not image_ids or not category_ids:
        raise ValueError(f"{path} has {len(image_ids)} images and {len(category_ids)} categories")
    for place, annotation in enumerate(data["annotations"]):
        if "id" not in annotation:
            raise ValueError(
                f"{path}: annotation number {place} (of image {annotation['image_id']}) has no id"
            )
        for key, known in (("image_id", image_ids), ("category_id", category_ids)):
            if annotation[key] not in known:
                raise ValueError(
                    f"{path}: annotation {annotation['id']} has {key} {annotation[key]}, "
                    f"which is not in the file"
                )
        box = annotation["bbox"]
        if len(box) != 4 or not all(isinstance(x, int | float) and isfinite(x) for x in box):
            raise ValueError(
                f"{path}: annotation {annotation['id']} has bbox {box}; "
                "expected [x, y, width, height], finite numbers"
            )
    return CocoFile(
        categories=tuple((category["id"], category["name"]) for category in data["categories"]),
        file_names=tuple(image["file_name"] for image in data["images"]),
        num_annotations=len(data["annotations"]),
    )


def check_images(path: Path, image_dir: Path) -> None:
    """Check that every image of an annotation file is in a folder and not empty.

    Raises:
        FileNotFoundError: Naming the folder, or some of the images.
    """
    if not image_dir.is_dir():
        raise FileNotFoundError(f"image folder {image_dir} not found. {expected_layout()}")
    with os.scandir(image_dir) as entries:
        present = {entry.name for entry in entries if entry.stat().st_size > 0}
    # a file name may have a subfolder, which the listing does not show
    missing = [
        name
        for name in read_coco(path).file_names
        if name not in present and not _non_empty(image_dir / name)
    ]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} images of {path} are missing or empty in {image_dir}: "
            f"{', '.join(missing[:_NAMED])}{', ...' if len(missing) > _NAMED else ''}"
        )


def _non_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
