"""What a folder of pictures and label files is read as, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmdet.apis.det_inferencer import IMG_EXTENSIONS

from .label_files import LabelFiles

TRAIN, VAL, TEST = SPLITS = ("train", "val", "test")
# what folders, files and keys of splits are called, the first that is there
SPLIT_NAMES = {TRAIN: (TRAIN,), VAL: (VAL, "valid", "validation"), TEST: (TEST,)}


@dataclass(frozen=True)
class Place:
    """A COCO annotation file, and the folder that its file names start from."""

    ann_file: Path
    image_dir: Path


@dataclass(frozen=True)
class LabelledObject:
    """An object of a label file.

    Attributes:
        name: Its class.
        box: Left, top, right and bottom edge in pixels, from 0 at the picture's corner.
        polygon: x and y of each point of its outline in pixels, where the file has one.
        is_crowd: Whether it counts for nothing, found or not.
    """

    name: str
    box: tuple[float, float, float, float]
    polygon: tuple[float, ...] | None = None
    is_crowd: bool = False


@dataclass
class Labels:
    """What a label file says.

    Attributes:
        objects: Its objects.
        problems: What cannot be read of it, a sentence each that names file and place.
        empty: Objects without extent, which are left out, each by its place.
        size: Width and height of its picture, where it tells them.
    """

    objects: list[LabelledObject] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Sample:
    """A picture and its label file; without one it shows background alone."""

    picture: Path
    label: Path | None


@dataclass(frozen=True)
class Split:
    """The pictures of a split, by their paths, and what cannot be read of it."""

    samples: tuple[Sample, ...]
    problems: tuple[str, ...] = ()

    @property
    def labels(self) -> list[Path]:
        """The label files."""
        return [sample.label for sample in self.samples if sample.label is not None]


# a label file, its content, width and height of its picture
Parse = Callable[[Path, bytes, tuple[int, int]], Labels]


@dataclass(frozen=True)
class LabelFolder:
    """A folder of pictures, each with a label file.

    Attributes:
        kind: What its format is called.
        root: The folder.
        classes: Names of its classes.
        ordered: Whether the folder itself gives them an order.
        splits: Its splits, by their names (:data:`SPLITS`).
        parse: Reads the content of a label file.
        files: Reads its label files.
        notes: What is out of the ordinary.
    """

    kind: str
    root: Path
    classes: tuple[str, ...]
    ordered: bool
    splits: Mapping[str, Split]
    parse: Parse
    files: LabelFiles
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CocoFolder:
    """A folder with COCO annotation files.

    Attributes:
        root: The folder.
        places: Its annotation files, by the names of the splits.
    """

    root: Path
    places: Mapping[str, Place]
    kind = "COCO"


def named_lines(file: Path) -> dict[str, int]:
    """The names that a text file lists, each with its line."""
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return {name.strip(): number for number, name in enumerate(lines, start=1) if name.strip()}


def shared_label(label: Path, pictures: Sequence[str]) -> str:
    """A sentence on a label file that several pictures would have."""
    return f"{label} is the label file of {len(pictures)} pictures, {', '.join(pictures)}"


def lone_labels(labels: Sequence[Path]) -> tuple[str, ...]:
    """A sentence on label files without a picture, where there are some."""
    if not labels:
        return ()
    return (f"{len(labels)} label files have no picture and are not read, first {labels[0]}",)


def is_picture(name: str) -> bool:
    """Whether a file is a picture by its name; hidden ones are a file manager's."""
    return not name.startswith(".") and name.lower().endswith(IMG_EXTENSIONS)


def pictures_below(folder: Path) -> Iterator[Path]:
    """The pictures of a folder and its subfolders."""
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if is_picture(name))
