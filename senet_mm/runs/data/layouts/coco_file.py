"""A split of pictures and label files as the content of one COCO annotation file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....version import __version__
from ..picture_headers import file_problem
from ..pictures import Loader, look_at_all
from .records import LabelFolder, LabelledObject, Labels, Sample, Split


@dataclass(frozen=True)
class CocoFile:
    """What an annotation file holds, and what cannot go into it.

    Attributes:
        data: Its content.
        problems: What is broken, a sentence each; it is left out.
        notes: What is out of the ordinary.
    """

    data: dict[str, Any]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def image_dir(folder: LabelFolder, split: Split) -> Path:
    """The folder that all pictures of a split are below: that of the data set, if it is one."""
    root = os.path.abspath(folder.root)
    parents = {os.path.dirname(sample.picture) for sample in split.samples}
    if all(Path(parent).is_relative_to(root) for parent in parents):
        return Path(root)
    return Path(os.path.commonpath(sorted(parents)))


def coco_file(folder: LabelFolder, split: Split) -> CocoFile:
    """Make the content of an annotation file, images in the order of the pictures' paths.

    Args:
        folder: The data set.
        split: One of its splits.
    """
    problems, notes, empty = list(split.problems), [], list[str]()
    base = image_dir(folder, split) if split.samples else folder.root
    images: list[dict[str, Any]] = []
    objects: list[tuple[int, LabelledObject]] = []
    contents = dict(zip(split.labels, folder.files.read(split.labels), strict=True))
    for sample, size in zip(split.samples, _sizes(split), strict=True):
        if size is None:
            why = file_problem(sample.picture) or "cannot be read (truncated, or no picture)"
            problems.append(f"{sample.picture} {why}")
            continue
        labels = Labels()
        if sample.label is not None:
            labels = folder.parse(sample.label, contents[sample.label], size)
        problems += labels.problems
        empty += labels.empty
        width, height = labels.size or size
        name = sample.picture.relative_to(base).as_posix()
        images.append(dict(id=len(images) + 1, file_name=name, width=width, height=height))
        for one in labels.objects:
            if one.name in folder.classes:
                objects.append((len(images), one))
            else:
                problems.append(f"{sample.label}: class {one.name!r} is in no other split")
    if empty:
        notes.append(f"{len(empty)} objects without extent are left out, first {empty[0]}")
    unlabelled = [sample.picture for sample in split.samples if sample.label is None]
    if unlabelled:
        notes.append(
            f"{len(unlabelled)} of {len(split.samples)} pictures have no label file and are taken "
            f"as background, first {unlabelled[0]}"
        )
    numbers = {name: number for number, name in enumerate(folder.classes, start=1)}
    data = dict(
        info=dict(
            description=f"{folder.kind} folder {folder.root}, read by senet_mm {__version__}"
        ),
        images=images,
        annotations=list(_annotations(objects, numbers)),
        categories=[dict(id=number, name=name) for name, number in numbers.items()],
    )
    return CocoFile(data, tuple(problems), tuple(notes))


def _sizes(split: Split) -> list[tuple[int, int] | None]:
    """Width and height of each picture, as a loader with mmdet's defaults sees it."""
    paths = tuple(str(sample.picture) for sample in split.samples)
    return [picture.size for picture in look_at_all(paths, Loader())]


def _annotations(
    objects: Sequence[tuple[int, LabelledObject]], numbers: dict[str, int]
) -> Iterator[dict[str, Any]]:
    for number, (image, one) in enumerate(objects, start=1):
        left, top, right, bottom = one.box
        # of numbers with two decimals the difference has no more; binary fractions have
        width, height = round(right - left, 6), round(bottom - top, 6)
        entry: dict[str, Any] = dict(
            id=number,
            image_id=image,
            category_id=numbers[one.name],
            bbox=[left, top, width, height],
            area=round(width * height, 6),
            iscrowd=int(one.is_crowd),
        )
        if one.polygon is not None:
            entry |= dict(segmentation=[list(one.polygon)], area=_area(one.polygon))
        yield entry


def _area(polygon: Sequence[float]) -> float:
    """Area inside a polygon, by the shoelace formula."""
    xs, ys = polygon[::2], polygon[1::2]
    twice = sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs)))
    return round(abs(twice) / 2, 6)


def sample_names(folder: LabelFolder, samples: Sequence[Sample]) -> list[str]:
    """What pictures are called wherever the data set lies."""
    return [os.path.relpath(sample.picture, folder.root).replace(os.sep, "/") for sample in samples]
