"""COCO annotation files for any folder whose layout is known."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .coco_file import coco_file, image_dir
from .find import complete_layout
from .records import TRAIN, VAL, CocoFolder, LabelFolder, Place
from .store import find_stored, store

_FORMAT = 1  # of the files that are made here; another makes them anew


def coco_places(root: Path, classes: Sequence[str] = ()) -> tuple[Path, dict[str, Place]] | None:
    """Find the COCO annotation files of a folder; of YOLO's and VOC's they are made once.

    Args:
        root: A folder in COCO's, YOLO's or VOC's layout, or a YAML file of YOLO's.
        classes: The order of the classes, for a folder that gives them none and has the same.

    Returns:
        The folder, and its annotation files by the names of the splits, ``train`` and ``val``.
        None where the layout is not known.

    Raises:
        FileNotFoundError, ValueError: If an entry is broken, or a split is missing.
        OSError: If a file can be written nowhere.
    """
    layout = complete_layout(root)
    if layout is None:
        return None
    if isinstance(layout, CocoFolder):
        return layout.root, dict(layout.places)
    if not layout.ordered and set(classes) == set(layout.classes):
        layout = replace(layout, classes=tuple(classes))
    used = [name for name in (TRAIN, VAL) if name in layout.splits]
    places = {name: _made(layout, name, root) for name in used}
    layout.files.keep()
    return layout.root, places


def _made(folder: LabelFolder, name: str, given: Path) -> Place:
    """The annotation file of a split, which is the same as long as its pictures and labels are."""
    split = folder.splits[name]

    def make() -> str:
        file = coco_file(folder, split)
        if file.problems:
            entries = "entry" if len(file.problems) == 1 else "entries"
            raise ValueError(
                f"the {folder.kind} folder {folder.root} has {len(file.problems)} broken {entries} "
                f"in its {name} split, first {file.problems[0]}; `senet-mm data "
                f"{shlex.quote(str(given))}` lists them all"
            )
        for note in (*folder.notes, *file.notes):
            print(f"note: {note}", file=sys.stderr)
        return json.dumps(file.data)

    stored = f"instances_{name}-{_number(folder, name)}.json"
    path = find_stored(folder.root, stored) or store(folder.root, stored, make)
    return Place(path, image_dir(folder, split))


def _number(folder: LabelFolder, name: str) -> str:
    """A number of all that an annotation file is made of; of pictures, name and length."""
    split = folder.splits[name]
    about = [_FORMAT, folder.kind, folder.classes, split.problems]
    number = hashlib.sha256(json.dumps(about).encode())
    base = image_dir(folder, split) if split.samples else folder.root
    for sample in split.samples:
        length = os.stat(sample.picture).st_size
        entry = [str(sample.picture.relative_to(base)), length, sample.label is not None]
        number.update(json.dumps(entry).encode())
    number.update(folder.files.derive(f"content of {name}", split.labels, _content).encode())
    return number.hexdigest()[:10]


def _content(contents: Sequence[bytes]) -> str:
    """A number of the contents of files."""
    number = hashlib.sha256()
    for content in contents:
        number.update(hashlib.sha256(content).digest())
    return number.hexdigest()
