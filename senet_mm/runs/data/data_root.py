"""Point a config at any folder in COCO's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.visualization import get_palette
from mmengine.config import Config, ConfigDict

from ...coco.annotations import Annotations, expected_layout, read_annotations
from .class_names import check_unique
from .datasets import annotation_path, dataset_class, datasets_of, is_coco

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
EVALUATORS = ("val_evaluator", "test_evaluator")


def palette(num_classes: int) -> list[tuple[int, int, int]]:
    """One colour per class; plain integers, so that a config can hold them."""
    colors = get_palette("random", num_classes)
    return [(int(red), int(green), int(blue)) for red, green, blue in colors]


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Rewrite the paths of every data set and evaluator, and the classes, in place.

    The paths below the root stay as the config has them (in COCO's layout
    ``annotations/instances_train2017.json``, ``train2017/`` and so on). If the
    categories of the annotation files are not the classes of the config, they
    replace them: ``metainfo`` of each data set and ``num_classes`` of the heads.

    Raises:
        FileNotFoundError: If the folder or an annotation file is not there.
        ValueError: If a data set is not COCO's or has absolute paths, a file is
            not COCO's, or two files differ in categories.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"--data-root {root} is no folder. {expected_layout()}")
    datasets = [dataset for loader in LOADERS for dataset in datasets_of(cfg, loader)]
    files, old_roots = {}, set()
    for dataset in datasets:
        if not is_coco(dataset):
            raise ValueError(f"--data-root works with CocoDataset, not with {dataset.type}")
        if Path(dataset.ann_file).is_absolute():
            raise ValueError(f"--data-root cannot move the absolute path {dataset.ann_file}")
        old_roots.add(dataset.get("data_root") or "")
        dataset.data_root = f"{root}/"
        path = annotation_path(dataset)
        if path.is_file():
            files[path] = read_annotations(path)
    if not files:
        raise FileNotFoundError(f"--data-root {root} has no annotation file. {expected_layout()}")
    for evaluator in EVALUATORS:
        _move(cfg.get(evaluator), old_roots - {""}, f"{root}/")
    _set_classes(cfg, datasets, files)


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


def _set_classes(cfg: Config, datasets: list[ConfigDict], files: dict[Path, Annotations]) -> None:
    (first, file), *others = files.items()
    for path, other in others:
        if other.categories != file.categories:
            raise ValueError(f"{first} and {path} have different categories; they must be the same")
    check_unique(file, file.classes)
    default = dataset_class(datasets[0]).METAINFO["classes"]
    old_classes = tuple((datasets[0].get("metainfo") or {}).get("classes", default))
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
