"""The classes of config, annotation files and checkpoint: they must be the same, in one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmengine.config import Config, ConfigDict

from ...coco.annotations import Annotations, read_annotations
from .class_names import check_unique, classes_of_config, listed, nearest
from .datasets import annotation_path, dataset_class, is_coco, located_datasets

# parts of a model whose num_classes counts something else than the classes of the data set
_OTHER_COUNTS = ("rpn_head", "semantic_head", "panoptic", "backbone", "neck", "teacher")


@dataclass(frozen=True)
class Trained:
    """The classes that a checkpoint was trained on.

    Attributes:
        source: The checkpoint.
        classes: Their names, in the order of its labels.
        must_agree: Whether the run is lost where they differ, as a test and a resumed training
            are; a fine-tuning may have others.
    """

    source: str
    classes: tuple[str, ...]
    must_agree: bool


def check_classes(
    cfg: Config, loaders: Sequence[str], trained: Trained | None
) -> tuple[dict[str, Any], list[str]]:
    """Compare the classes of some dataloaders' data sets, their files, the heads and a checkpoint.

    mmdet numbers labels in the order of the annotation file, and names them in the order of the
    config. Where only these two orders differ, the names are put in the file's.

    Returns:
        What to set in the config, by key, and a sentence on what is out of the ordinary.

    Raises:
        ValueError: If classes are not in the file or there twice, data sets differ, the heads or
            the checkpoint have others.
    """
    changes: dict[str, Any] = {}
    notes: list[str] = []
    labels: dict[str, tuple[str, ...]] = {}
    for loader in loaders:
        for key, dataset in located_datasets(cfg, loader):
            if not is_coco(dataset):
                continue
            names = classes_of_config(dataset, key)
            file = read_annotations(annotation_path(dataset))
            labels[key] = _labels(dataset, key, names, file, notes)
            if labels[key] != names:
                changes |= _reordered(dataset, key, names, labels[key])
                notes.append(
                    f"{key}.metainfo.classes is {listed(names)}, the categories of {file.path} "
                    f"are in another order, in which mmdet numbers labels: taken as "
                    f"{listed(labels[key])}"
                )
    for key, classes in labels.items():
        first = next(iter(labels))
        if classes != labels[first]:
            raise ValueError(
                f"{first} has the classes {listed(labels[first])}, {key} has {listed(classes)}: "
                "expected the same in the same order; set metainfo.classes of each, or sort "
                "'categories' of the annotation files alike"
            )
        if trained is not None and key == first:  # the others have the same
            notes += _compare_trained(trained, key, dataset_file(cfg, key), classes)
        _check_heads(cfg, key, classes)
    return changes, list(dict.fromkeys(notes))


def dataset_file(cfg: Config, key: str) -> Path:
    """The annotation file of the data set that stands under a key."""
    loader = key.partition(".")[0]
    return annotation_path(dict(located_datasets(cfg, loader))[key])


def _labels(
    dataset: ConfigDict, key: str, names: tuple[str, ...], file: Annotations, notes: list[str]
) -> tuple[str, ...]:
    """The classes in the order of mmdet's labels."""
    check_unique(file, names)
    missing = [name for name in names if name not in file.classes]
    if missing:
        raise ValueError(
            f"{key}.metainfo.classes has {listed(missing)}, which {file.path} has not"
            f"{nearest(missing[0], file.classes)}: its categories are {listed(file.classes)}; "
            "set metainfo=dict(classes=...) of the data set, or --data-root, which takes them from "
            "the file"
        )
    left_out = [name for name in file.classes if name not in names]
    if left_out:
        notes.append(
            f"{len(left_out)} of the {len(file.classes)} categories of {file.path} are not among "
            f"the classes of {key} ({listed(left_out)}): their objects are left out"
        )
    # a data set that orders its classes itself
    if dataset_class(dataset).load_data_list is not CocoDataset.load_data_list:
        return names
    return tuple(name for name in file.classes if name in names)


def _reordered(
    dataset: ConfigDict, key: str, names: tuple[str, ...], labels: tuple[str, ...]
) -> dict[str, Any]:
    """Names and colours in the order of the labels."""
    changes: dict[str, Any] = {f"{key}.metainfo.classes": labels}
    palette = (dataset.get("metainfo") or {}).get("palette")
    if isinstance(palette, (list, tuple)) and len(palette) == len(names):
        changes[f"{key}.metainfo.palette"] = [palette[names.index(name)] for name in labels]
    return changes


def _check_heads(cfg: Config, key: str, classes: tuple[str, ...]) -> None:
    for head, number in heads_of(cfg.model):
        if number != len(classes):
            raise ValueError(
                f"{head}={number}, but {key} has {len(classes)} classes ({listed(classes)}): "
                f"set {head}={len(classes)}, or metainfo.classes of the data sets"
            )


def heads_of(model: Any, key: str = "model") -> Iterator[tuple[str, int]]:
    """Yield each ``num_classes`` of a model's config that counts the classes of the data set."""
    if isinstance(model, (list, tuple)):
        for place, part in enumerate(model):
            yield from heads_of(part, f"{key}.{place}")
    elif isinstance(model, Mapping):
        for name, value in model.items():
            if name == "num_classes" and type(value) is int:
                yield f"{key}.num_classes", value
            elif not any(other in str(name) for other in _OTHER_COUNTS):
                yield from heads_of(value, f"{key}.{name}")


def _compare_trained(
    trained: Trained, key: str, file: Path, classes: tuple[str, ...]
) -> Iterator[str]:
    if trained.classes == classes:
        return
    if set(trained.classes) == set(classes):
        raise ValueError(
            f"the checkpoint {trained.source} has the classes {listed(trained.classes)}, {key} "
            f"has {listed(classes)}, the order of {file}: labels would be taken for others; sort "
            "'categories' of the annotation file as the checkpoint has them (or, where it was "
            "trained on this very file with names in another order, correct "
            "meta['dataset_meta']['classes'] in it)"
        )
    told = (
        f"the checkpoint {trained.source} was trained on {len(trained.classes)} classes "
        f"({listed(trained.classes)}), {key} has {len(classes)} ({listed(classes)})"
    )
    if trained.must_agree:
        part = set(classes) < set(trained.classes)
        remedy = (
            "evaluate all of its classes and read the ones you want with "
            "test_evaluator.classwise=True"
            if part
            else "give the data set that it was trained for, or its own config"
        )
        raise ValueError(f"{told}: {remedy}")
    yield f"{told}: what its heads know of classes is taken for others, or starts anew"
