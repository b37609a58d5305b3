"""Which layout a folder has."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from .coco_file import sample_names
from .coco_folder import read_coco_folder
from .coco_split import split_coco
from .records import TEST, TRAIN, VAL, CocoFolder, LabelFolder, Split
from .val_split import ValSplit, store_split, stored_split
from .voc_folder import read_voc_folder
from .yolo_folder import read_yolo_folder

Layout = CocoFolder | LabelFolder
_Part = TypeVar("_Part")
EXPECTED = (
    "Expected is COCO's layout (annotations/instances_train2017.json and "
    "annotations/instances_val2017.json, train2017/ and val2017/ with images), YOLO's (data.yaml, "
    "images/, labels/) or PASCAL VOC's (Annotations/, JPEGImages/, ImageSets/Main/); "
    "`senet-mm demo` needs no data."
)


def read_layout(root: Path) -> Layout | None:
    """Read a folder, or a YAML file of YOLO's, as it is; None where it is none that is known.

    Raises:
        ValueError: If it is nearly one.
    """
    return read_coco_folder(root) or read_yolo_folder(root) or read_voc_folder(root)


def divided_layout(root: Path) -> Layout | None:
    """:func:`read_layout`, with the val split that it was given, if it has none of its own."""
    layout = read_layout(root)
    split = stored_split(layout.root) if layout and VAL not in _parts(layout) else None
    return _divided(layout, split) if layout and split and TRAIN in _parts(layout) else layout


def complete_layout(root: Path) -> Layout | None:
    """:func:`divided_layout`, with pictures to validate on in any case.

    Where it has none, its test split takes their place, as PASCAL VOC 2007's does everywhere.

    Raises:
        ValueError: If it has none of that either, and as :func:`read_layout`.
    """
    layout = divided_layout(root)
    if layout is None or VAL in _parts(layout):
        return layout
    if TEST not in _parts(layout):
        raise ValueError(
            f"the {layout.kind} folder {layout.root} has no pictures to validate on: `senet-mm "
            f"data {shlex.quote(str(root))} --val-fraction 0.2` sets a fifth of its others apart"
        )
    print(f"note: {layout.root} has no val split: its test split is taken", file=sys.stderr)
    if isinstance(layout, CocoFolder):
        return replace(layout, places=_test_as_val(layout.places))
    return replace(layout, splits=_test_as_val(layout.splits))


def give_val_split(root: str | Path, fraction: float, seed: int) -> None:
    """Set pictures of a folder apart to validate on, for this run and those to come.

    Raises:
        FileNotFoundError: If its layout is not known.
        ValueError: If it has a val split of its own, or nothing to take one from.
        OSError: If that can be noted nowhere.
    """
    layout = read_layout(Path(root))
    if layout is None:
        raise FileNotFoundError(f"--val-fraction: {root} has no annotations. {EXPECTED}")
    if VAL in _parts(layout):
        raise ValueError(
            f"--val-fraction {fraction:g}: the {layout.kind} folder {root} has a val split of its "
            "own: leave the option out"
        )
    if TRAIN not in _parts(layout):
        raise ValueError(f"--val-fraction {fraction:g}: {root} has no train split to take it from")
    split = ValSplit(fraction, seed)
    _divided(layout, split)
    store_split(layout.root, split)
    if isinstance(layout, LabelFolder):
        layout.files.keep()


def _parts(layout: Layout) -> Mapping[str, object]:
    return layout.places if isinstance(layout, CocoFolder) else layout.splits


def _divided(layout: Layout, split: ValSplit) -> Layout:
    if isinstance(layout, CocoFolder):
        return replace(layout, places=dict(layout.places) | split_coco(layout, split))
    whole = layout.splits[TRAIN]
    names = sample_names(layout, whole.samples)
    chosen = split.chosen(names)
    parts = {
        part: Split(
            tuple(
                one
                for one, name in zip(whole.samples, names, strict=True)
                if (name in chosen) is (part == VAL)
            ),
            whole.problems,
        )
        for part in (TRAIN, VAL)
    }
    return replace(layout, splits=dict(layout.splits) | parts)


def _test_as_val(parts: Mapping[str, _Part]) -> dict[str, _Part]:
    others = {name: part for name, part in parts.items() if name != TEST}
    return others | {VAL: parts[TEST]}
