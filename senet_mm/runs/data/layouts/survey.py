"""All that is in a folder, what is broken of it included."""

from __future__ import annotations

import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ....coco.annotations import Annotations, read_annotations
from ....coco.dropped import check_objects
from ....coco.images import check_images
from ..pictures import Loader, check_pictures
from .coco_file import coco_file, image_dir
from .find import EXPECTED, divided_layout
from .records import SPLITS, CocoFolder, LabelFolder, Place

_MOST_MASKS = 100_000  # objects of a split whose masks are kept, which takes memory


@dataclass(frozen=True)
class SurveyedSplit:
    """A split.

    Attributes:
        name: ``train``, ``val`` or ``test``.
        annotations: What can be read of it; None where that is nothing.
        image_dir: Where its file names start.
        problems: What is broken, a sentence each. It is not among the annotations.
        notes: What is out of the ordinary.
    """

    name: str
    annotations: Annotations | None
    image_dir: Path
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """A folder: what its layout is called, its splits, and what is out of the ordinary of it."""

    kind: str
    root: Path
    splits: tuple[SurveyedSplit, ...]
    notes: tuple[str, ...]

    @property
    def num_problems(self) -> int:
        """How many entries are broken."""
        return sum(len(split.problems) for split in self.splits)


def survey(root: str | Path, *, pictures: bool = True) -> Survey:
    """Read a folder in COCO's, YOLO's or VOC's layout; it stays as it is.

    Args:
        root: The folder, or a YAML file of YOLO's.
        pictures: Whether to compare the headers of the pictures with COCO's files; those of the
            other layouts give their sizes, and are read in any case.

    Raises:
        FileNotFoundError: If it is not there, or its layout is not known.
        ValueError: If what lists classes and pictures cannot be read.
    """
    if not Path(root).exists():
        raise FileNotFoundError(f"{root} is not there. {EXPECTED}")
    layout = divided_layout(Path(root))
    if layout is None:
        raise FileNotFoundError(f"{root} has no annotations. {EXPECTED}")
    if isinstance(layout, CocoFolder):
        places = _in_order(layout.places)
        splits = [_of_coco(name, place, pictures) for name, place in places.items()]
        return Survey(layout.kind, layout.root, tuple(splits), ())
    named = [_of_labels(layout, name) for name in SPLITS if name in layout.splits]
    notes = (*layout.notes, *_shared(layout))
    return Survey(layout.kind, layout.root, tuple(named), notes)


def _shared(folder: LabelFolder) -> Iterator[str]:
    """A sentence on pictures that are in two splits: what is measured on them is no news."""
    pictures = {
        name: {sample.picture for sample in split.samples} for name, split in folder.splits.items()
    }
    for one, other in itertools.combinations(pictures, 2):
        shared = pictures[one] & pictures[other]
        if shared:
            yield f"{len(shared)} pictures are in {one} and in {other}, first {min(shared)}"


def _in_order(places: Mapping[str, Place]) -> dict[str, Place]:
    return {name: places[name] for name in SPLITS if name in places}


def _of_coco(name: str, place: Place, pictures: bool) -> SurveyedSplit:
    try:
        annotations = _read(place.ann_file)
    except (OSError, ValueError) as error:
        return SurveyedSplit(name, None, place.image_dir, (str(error),), ())
    problems, notes = [], [f"{place.ann_file}: {what}" for what in annotations.mended]
    try:
        check_images(place.ann_file, place.image_dir)
    except OSError as error:
        problems.append(str(error))
    else:
        if pictures:
            _check(annotations, place.image_dir, problems, notes)
    return SurveyedSplit(name, annotations, place.image_dir, tuple(problems), tuple(notes))


def _of_labels(folder: LabelFolder, name: str) -> SurveyedSplit:
    split = folder.splits[name]
    file = coco_file(folder, split)
    problems, notes = list(file.problems), list(file.notes)
    if not file.data["images"] or not folder.classes:
        problems = problems or [f"the {name} split of {folder.root} has no pictures, or no classes"]
        return SurveyedSplit(name, None, folder.root, tuple(problems), tuple(notes))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "annotations.json")
        path.write_text(json.dumps(file.data))
        # sentences name what the user has
        annotations = replace(_read(path), path=Path(f"{folder.root} ({name})"))
    base = image_dir(folder, split)
    _check(annotations, base, problems, notes)
    return SurveyedSplit(name, annotations, base, tuple(problems), tuple(notes))


def _read(path: Path) -> Annotations:
    """An annotation file, with its masks where all objects have one."""
    annotations = read_annotations(path)
    if annotations.mask_problem or not 0 < annotations.num_annotations <= _MOST_MASKS:
        return annotations
    return read_annotations(path, masks=True)


def _check(annotations: Annotations, folder: Path, problems: list[str], notes: list[str]) -> None:
    """Check pictures and objects as a run does."""
    try:
        sizes, told = check_pictures(annotations, folder, Loader())
        notes += told
        notes += check_objects(annotations, sizes)
    except ValueError as error:
        problems.append(str(error))
