"""Point a config of a detector at any folder."""

from __future__ import annotations

import os
from itertools import zip_longest
from pathlib import Path
from typing import Any

from mmdet.visualization import get_palette
from mmengine.config import Config, ConfigDict

from ...coco.annotations import Annotations, read_annotations
from .annotation_copies import located_metrics
from .class_names import check_unique
from .datasets import annotation_path, dataset_class, datasets_of, is_coco
from .layouts.find import EXPECTED
from .layouts.places import coco_places
from .layouts.records import TRAIN, VAL, Place
from .layouts.store import FOLDER
from .layouts.val_split import stored_split

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
EVALUATORS = ("val_evaluator", "test_evaluator")


def palette(num_classes: int) -> list[tuple[int, int, int]]:
    """One colour per class; plain integers, so that a config can hold them."""
    colors = get_palette("random", num_classes)
    return [(int(red), int(green), int(blue)) for red, green, blue in colors]


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Rewrite the paths of every data set and evaluator, and the classes, in place.

    Where the folder has annotation files in the places that the config names (in COCO's layout
    ``annotations/instances_train2017.json``, ``train2017/`` and so on), paths below the root stay
    as they are. Else its layout is recognized, see :mod:`.layouts`: the training set reads its
    train split, all others its val split. If the categories of the annotation files are not the
    classes of the config, they replace them: ``metainfo`` of each data set and ``num_classes`` of
    the heads.

    Raises:
        FileNotFoundError: If the folder or an annotation file is not there.
        ValueError: If a data set is not COCO's or has absolute paths, a file is
            broken, or two files differ in categories.
    """
    root = Path(root)
    if not root.exists():
        raise FileNotFoundError(f"--data-root {root} is no folder. {EXPECTED}")
    datasets = {loader: list(datasets_of(cfg, loader)) for loader in LOADERS}
    listed = [dataset for found in datasets.values() for dataset in found]
    for dataset in listed:
        if not is_coco(dataset):
            raise ValueError(f"--data-root works with CocoDataset, not with {dataset.type}")
    if _has_files(root, listed) and stored_split(root) is None:
        _move_paths(cfg, root, listed)
    else:
        found = coco_places(root, _classes_of(listed))
        if found is None:
            raise FileNotFoundError(f"--data-root {root} has no annotation file. {EXPECTED}")
        root, places = found
        for loader, own in datasets.items():
            place = places.get(TRAIN if loader == "train_dataloader" else VAL)
            if place is not None:
                _read_from(cfg, loader, own, root, place)
            else:  # what needs it will miss it there
                for dataset in own:
                    dataset.data_root = f"{root}/"
    paths = [path for path in map(annotation_path, listed) if path.is_file()]
    _set_classes(cfg, listed, {path: read_annotations(path) for path in paths})


def _has_files(root: Path, datasets: list[ConfigDict]) -> bool:
    """Whether a folder has a file where the config looks for one, which is not one of ours."""
    names = [Path(dataset.ann_file) for dataset in datasets]
    names = [name for name in names if not name.is_absolute() and FOLDER not in name.parts]
    return any((root / name).is_file() for name in names)


def _move_paths(cfg: Config, root: Path, datasets: list[ConfigDict]) -> None:
    old_roots = set()
    for dataset in datasets:
        if Path(dataset.ann_file).is_absolute():
            raise ValueError(f"--data-root cannot move the absolute path {dataset.ann_file}")
        old_roots.add(dataset.get("data_root") or "")
        dataset.data_root = f"{root}/"
    for evaluator in EVALUATORS:
        _move(cfg.get(evaluator), old_roots - {""}, f"{root}/")


def _read_from(
    cfg: Config, loader: str, datasets: list[ConfigDict], root: Path, place: Place
) -> None:
    """Have the data sets of a dataloader, and their metrics, read an annotation file."""
    for dataset in datasets:
        dataset.data_root = f"{root}/"
        dataset.ann_file = _below(root, place.ann_file)
        folder = _below(root, place.image_dir)
        prefix = "" if folder == "." else f"{folder}/"
        dataset.data_prefix = dict(dataset.get("data_prefix") or {}, img=prefix)
    for _, metric in located_metrics(cfg, loader):
        metric["ann_file"] = str(root / _below(root, place.ann_file))  # type: ignore[index]


def _below(root: Path, path: Path) -> str:
    """A path below a root as it reads from there; another one in full."""
    whole, top = Path(os.path.abspath(path)), os.path.abspath(root)
    return whole.relative_to(top).as_posix() if whole.is_relative_to(top) else str(whole)


def _move(node: Any, old_roots: set[str], root: str) -> None:
    """Replace the root of every path in an evaluator, however it nests its metrics."""
    if isinstance(node, (list, tuple)):
        for child in node:
            _move(child, old_roots, root)
    elif isinstance(node, dict):
        for key, value in node.items():
            old = next(
                (r for r in old_roots if isinstance(value, str) and value.startswith(r)), None
            )
            if old is not None:
                node[key] = root + value.removeprefix(old).lstrip("/")
            else:
                _move(value, old_roots, root)


def _classes_of(datasets: list[ConfigDict]) -> tuple[str, ...]:
    """The classes of a config."""
    default = dataset_class(datasets[0]).METAINFO["classes"]
    return tuple((datasets[0].get("metainfo") or {}).get("classes", default))


def _difference(one: Annotations, other: Annotations) -> str:
    """The first category by which two files differ, in brackets."""
    for first, second in zip_longest(one.categories, other.categories):
        if first != second:
            told = [f"id {pair[0]} {pair[1]!r}" if pair else "none" for pair in (first, second)]
            return f" (the first that differ: {told[0]} and {told[1]})"
    return ""


def _set_classes(cfg: Config, datasets: list[ConfigDict], files: dict[Path, Annotations]) -> None:
    (first, file), *others = files.items()
    for path, other in others:
        if other.categories != file.categories:
            raise ValueError(
                f"{first} and {path} have different categories{_difference(file, other)}; they "
                "must be the same, in one order"
            )
    check_unique(file, file.classes)
    old_classes = _classes_of(datasets)
    if file.classes == old_classes:
        return
    for dataset in datasets:
        dataset.metainfo = dict(classes=file.classes, palette=palette(len(file.classes)))
    if not set_num_classes(cfg.model, len(old_classes), len(file.classes)):
        raise ValueError(
            f"{first} has {len(file.classes)} classes, but no head of the model has the "
            f"num_classes={len(old_classes)} of the config's data set, which would follow"
        )


def set_num_classes(node: Any, old: int, new: int) -> int:
    """Set each ``num_classes`` that counts the data set's classes; returns how many there were."""
    if isinstance(node, (list, tuple)):
        return sum(set_num_classes(child, old, new) for child in node)
    if not isinstance(node, dict):
        return 0
    # a user may have given the new number already
    counts_classes = node.get("num_classes") in (old, new)
    if counts_classes:
        node["num_classes"] = new
    # an RPN tells objects from background, of whatever class
    inner = [value for key, value in node.items() if key != "rpn_head"]
    return counts_classes + set_num_classes(inner, old, new)
