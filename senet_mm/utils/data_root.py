"""Point a config at any folder in COCO's layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.visualization import get_palette
from mmengine.config import Config, ConfigDict

from .coco_files import CocoFile, expected_layout, read_coco

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
EVALUATORS = ("val_evaluator", "test_evaluator")


def datasets_of(cfg: Config, loader: str) -> Iterator[ConfigDict]:
    """Yield the data sets of a dataloader, those inside wrappers (repeat, concat) included."""
    stack = [cfg[loader].dataset] if cfg.get(loader) else []
    while stack:
        dataset = stack.pop()
        inner = [dataset["dataset"]] if "dataset" in dataset else dataset.get("datasets", [])
        if inner:
            stack.extend(inner)
        else:
            yield dataset


def annotation_path(dataset: ConfigDict) -> Path:
    """Path of a data set's annotation file."""
    return Path(dataset.get("data_root") or "") / dataset.ann_file


def palette(num_classes: int) -> list[tuple[int, int, int]]:
    """One colour per class; plain integers, so that a config can hold them."""
    return [tuple(map(int, color)) for color in get_palette("random", num_classes)]


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Rewrite the paths of every data set and evaluator, and the classes, in place.

    The paths below the root stay as the config has them (in COCO's layout
    ``annotations/instances_train2017.json``, ``train2017/`` and so on). If the
    categories of the annotation files are not the classes of the config, they
    replace them: ``metainfo`` of each data set and every ``num_classes``.

    Raises:
        FileNotFoundError: If the folder or an annotation file is not there.
        ValueError: If a file is not COCO's, or two files differ in categories.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"--data-root {root} is no folder. {expected_layout()}")
    files = {}
    for loader in LOADERS:
        for dataset in datasets_of(cfg, loader):
            dataset.data_root = f"{root}/"
            if annotation_path(dataset).is_file():
                path = annotation_path(dataset)
                files[path] = read_coco(path)
    for loader, evaluator in zip(LOADERS[1:], EVALUATORS, strict=True):
        dataset = next(datasets_of(cfg, loader), None)
        metrics = cfg.get(evaluator) or []
        for metric in metrics if isinstance(metrics, list) else [metrics]:
            if dataset is not None and "ann_file" in metric:
                metric.ann_file = str(annotation_path(dataset))
    if not files:
        raise FileNotFoundError(f"--data-root {root} has no annotation file. {expected_layout()}")
    _set_classes(cfg, files)


def _set_classes(cfg: Config, files: dict[Path, CocoFile]) -> None:
    (first, file), *others = files.items()
    for path, other in others:
        if other.categories != file.categories:
            raise ValueError(f"{first} and {path} have different categories; they must be the same")
    old_classes = CocoDataset.METAINFO["classes"]
    for loader in LOADERS:
        for dataset in datasets_of(cfg, loader):
            old_classes = tuple(dataset.get("metainfo", {}).get("classes", old_classes))
    if file.classes == old_classes:
        return
    metainfo = dict(classes=file.classes, palette=palette(len(file.classes)))
    for loader in LOADERS:
        for dataset in datasets_of(cfg, loader):
            dataset.metainfo = metainfo
    _set_num_classes(cfg.model, len(old_classes), len(file.classes))


def _set_num_classes(node: Any, old: int, new: int) -> None:
    """Set every ``num_classes`` that counts the data set's classes; heads may lie at any depth."""
    if isinstance(node, dict):
        if node.get("num_classes") == old:
            node["num_classes"] = new
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            _set_num_classes(child, old, new)
