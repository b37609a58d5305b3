"""COCO annotation files, wherever the tools that write them put them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from .records import SPLIT_NAMES, SPLITS, CocoFolder, Place

_BESIDE = "_annotations.coco.json"  # Roboflow's, in the folder of the pictures


def read_coco_folder(root: Path) -> CocoFolder | None:
    """Find COCO annotation files: as of COCO, or one in each of ``train/`` and ``valid/``.

    None where there are none.
    """
    if not root.is_dir():
        return None
    places = dict(_found(root))
    return CocoFolder(root, places) if places else None


def _found(root: Path) -> Iterator[tuple[str, Place]]:
    for split in SPLITS:
        for name in SPLIT_NAMES[split]:
            beside = root / name / _BESIDE
            if beside.is_file():
                yield split, Place(beside, beside.parent)
                break
            # instances_train2017.json before instances_train.json, and the newest year first
            files = sorted((root / "annotations").glob(f"instances_{name}*.json"), reverse=True)
            file = next(iter(files), root / "annotations" / f"{name}.json")
            if file.is_file():
                yield split, Place(file, _image_dir(root, file, name))
                break


def _image_dir(root: Path, file: Path, name: str) -> Path:
    """The folder in which the first picture of a file is; COCO's where none has it."""
    own = file.stem.removeprefix("instances_")
    if (root / own).is_dir():
        return root / own  # as of COCO, whose files take long to read
    first = _first_name(file)
    folders = [root / own, root / name, root / "images" / own, root / "images" / name]
    folders += [root / "images", root]
    holding = [folder for folder in folders if first and (folder / first).is_file()]
    return next(iter(holding), folders[0])


def _first_name(file: Path) -> str | None:
    """The first file name of an annotation file; what is wrong with it is told when it is read."""
    try:
        images: list[Mapping[str, str]] = json.loads(file.read_bytes())["images"]
        return str(images[0]["file_name"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
