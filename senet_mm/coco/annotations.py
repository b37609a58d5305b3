"""COCO annotation files: one reader, one record."""

from __future__ import annotations

import functools
import gc
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .annotation_checks import checked_columns
from .defaults import describe_defaults, fill_areas
from .mask_checks import describe_wrong, find_wrong_masks


@dataclass(frozen=True, eq=False)
class Objects:
    """The N annotated objects of a file, in its order.

    Attributes:
        ids: (N,) ids.
        image: (N,) index into the images of the :class:`Annotations`.
        category: (N,) index into its categories.
        boxes: (N, 4) left, top, width and height in pixels.
        area: (N,) area in pixels, as the file says; where it does not, that of the mask, or of
            the box where there is no mask.
        is_crowd: (N,) whether it is a crowd.
        is_ignored: (N,) whether it has ``ignore``, which mmdet's data sets leave out.
        masks: N masks in any of COCO's forms, if they were asked for.
    """

    ids: np.ndarray
    image: np.ndarray
    category: np.ndarray
    boxes: np.ndarray
    area: np.ndarray
    is_crowd: np.ndarray
    is_ignored: np.ndarray
    masks: tuple[Any, ...] | None = None


@dataclass(frozen=True, eq=False)
class Annotations:
    """A checked annotation file. Images and categories are sorted by id, as COCOeval does.

    It keeps no more of the file than its numbers, so that it costs little while a run goes on.

    Attributes:
        path: The file.
        categories: (id, name) of each category, in the file's order.
        image_ids: Ids of the I images.
        file_names: Their file names.
        image_sizes: (I, 2) width and height in pixels; infinite where the file does not say.
        category_ids: Ids of the K categories.
        objects: The objects.
        mended: What was not as mmdet and COCOeval read it, and what was taken instead; they need
            a copy of the file in which it is right (:func:`.mended.mended`).
        mask_problem: Why the objects' masks cannot be used, if they cannot.
    """

    path: Path
    categories: tuple[tuple[int | str, str], ...]
    image_ids: tuple[int | str, ...]
    file_names: tuple[str, ...]
    image_sizes: np.ndarray
    category_ids: tuple[int | str, ...]
    objects: Objects
    mended: tuple[str, ...] = ()
    mask_problem: str | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Category names in the file's order, in which mmdet numbers its labels."""
        return tuple(name for _, name in self.categories)

    @property
    def evaluated_classes(self) -> tuple[str, ...]:
        """Category names in the order of ``category_ids``, in which COCOeval takes them."""
        names = dict(self.categories)
        return tuple(names[key] for key in self.category_ids)

    @property
    def num_annotations(self) -> int:
        """Number of annotated objects, crowds included."""
        return len(self.objects.ids)

    @functools.cached_property
    def _by_image(self) -> tuple[np.ndarray, np.ndarray]:
        """Objects ordered by image, and where each image's begin."""
        order = np.argsort(self.objects.image, kind="stable")
        bounds = np.arange(len(self.image_ids) + 1)
        return order, np.searchsorted(self.objects.image[order], bounds)

    def objects_in(self, start: int, stop: int) -> np.ndarray:
        """Indices of the objects in the images from ``start`` to ``stop``, image by image."""
        order, bounds = self._by_image
        return order[bounds[start] : bounds[stop]]


def expected_layout() -> str:
    """One sentence on where COCO's files are looked for."""
    return (
        "Expected is COCO's layout: train2017/ and val2017/ with images, "
        "annotations/instances_train2017.json and annotations/instances_val2017.json; "
        "`senet-mm demo` needs no COCO."
    )


def read_annotations(path: str | Path, *, masks: bool = False) -> Annotations:
    """Read and check an annotation file, for training and for evaluation.

    Absent or null, ``iscrowd`` and ``ignore`` are 0, and ``area`` is that of the mask, or of the
    box where there is no mask. A file is read once, as long as it stays the same.

    Args:
        path: The file.
        masks: Whether to keep the masks, which only the evaluation of masks needs; then every
            object must have one, and every image a size.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no COCO instances file, or something is missing or wrong that mmdet
            or COCOeval reads; the message names the entry and its value.
    """
    path = Path(path)
    if not path.is_file():
        problem = "is no regular file" if path.exists() else "not found"
        raise FileNotFoundError(f"annotation file {path} {problem}. {expected_layout()}")
    stat = path.stat()
    return _read(path, masks, (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size))


@functools.lru_cache(maxsize=8)
def _read(path: Path, masks: bool, version: tuple[int, ...]) -> Annotations:
    with _no_collection():
        content = path.read_bytes()
        try:
            data = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not a JSON file: {error}") from error
        columns = checked_columns(path, data)
    images, categories, objects = (columns[k] for k in ("images", "categories", "annotations"))
    image_order, image_places = _sorted(images["id"])
    category_order, category_places = _sorted(categories["id"])
    if 0 in objects["id"]:
        warnings.warn(
            f"{path} has an annotation with id 0, an object that COCOeval never takes as found: "
            "number annotations from 1",
            stacklevel=3,
        )
    sizes = np.stack([images["width"], images["height"]], axis=1)
    entries, mask_sizes = data["annotations"], sizes[objects["image"]]
    wrong_masks = find_wrong_masks(entries, mask_sizes)
    mask_problem = describe_wrong(path, entries, mask_sizes, wrong_masks)
    if masks and mask_problem:
        raise ValueError(mask_problem)
    if masks and not np.isfinite(sizes).all():
        raise ValueError(f"{path}: images have no width and height; masks cannot be evaluated")
    fill_areas(objects, entries, sizes, wrong_masks)
    return Annotations(
        path=path,
        categories=tuple(zip(categories["id"], categories["name"], strict=True)),
        image_ids=tuple(images["id"][place] for place in image_order),
        file_names=tuple(images["file_name"][place] for place in image_order),
        image_sizes=sizes[image_order],
        category_ids=tuple(categories["id"][place] for place in category_order),
        objects=Objects(
            ids=np.array(objects["id"], dtype=np.int64),
            image=image_places[objects["image"]],
            category=category_places[objects["category"]],
            boxes=objects["bbox"],
            area=objects["area"],
            is_crowd=objects["iscrowd"] != 0,
            is_ignored=objects["ignore"] != 0,
            masks=tuple(entry["segmentation"] for entry in entries) if masks else None,
        ),
        mended=describe_defaults(content, images["absent"], objects["absent"]),
        mask_problem=mask_problem,
    )


def _sorted(ids: list[Any]) -> tuple[list[int], np.ndarray]:
    """Places of the ids in rising order, and for each place its rank."""
    order = sorted(range(len(ids)), key=ids.__getitem__)
    ranks = np.empty(len(ids), dtype=np.int32)
    ranks[order] = np.arange(len(ids))
    return order, ranks


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of new objects would make the collector look through all of them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
