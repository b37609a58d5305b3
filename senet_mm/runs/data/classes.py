"""The classes of config, annotation files and checkpoint: they must be the same, in one order."""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmengine.config import Config, ConfigDict
from mmengine.fileio import list_from_file

from ...coco.annotations import Annotations, read_annotations
from ...weights.read.checkpoint import Checkpoint
from .datasets import annotation_path, dataset_class, is_coco, located_datasets

_SHOWN = 5  # how many names a message shows
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


def classes_of_meta(meta: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The classes that a checkpoint's ``meta`` tells, as mmdet 3 or mmdet 2 writes them."""
    dataset = meta.get("dataset_meta")
    given = {str(k).lower(): v for k, v in dataset.items()} if isinstance(dataset, Mapping) else {}
    classes = given.get("classes", meta.get("CLASSES"))
    if not isinstance(classes, (list, tuple)) or not all(isinstance(c, str) for c in classes):
        return None
    return tuple(classes)


def classes_of_config(dataset: ConfigDict, key: str = "dataset") -> tuple[str, ...]:
    """The classes of a data set's config, as mmdet takes them.

    Raises:
        ValueError: If they are no list of different names.
    """
    given = (dataset.get("metainfo") or {}).get("classes")
    if given is None:
        given = dataset_class(dataset).METAINFO.get("classes") or ()
    if isinstance(given, str):  # mmengine reads a file of names, and takes letters else
        if not Path(given).is_file():
            raise ValueError(
                f"{key}.metainfo.classes={given!r}: expected a list of names, such as "
                f"({given!r},), or a file with one on each line"
            )
        given = list_from_file(given)
    if not isinstance(given, (list, tuple)) or not all(isinstance(c, str) for c in given):
        raise ValueError(f"{key}.metainfo.classes={given!r:.60}: expected a list of names")
    repeated = [name for name, count in Counter(given).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{key}.metainfo.classes has {_listed(repeated)} more than once; expected each once"
        )
    return tuple(given)


def named_meta(checkpoint: Checkpoint, cfg: Config) -> Mapping[str, Any]:
    """What a checkpoint says of itself, with the config's classes where it names none.

    Where both name classes and they differ, the checkpoint's hold, and a line tells.

    Raises:
        ValueError: If the config's classes are no list of different names.
    """
    datasets = located_datasets(cfg, "test_dataloader")
    configured = next((classes_of_config(dataset, key) for key, dataset in datasets), None)
    own = classes_of_meta(checkpoint.meta)
    if configured and own is None:
        return {**checkpoint.meta, "dataset_meta": {"classes": configured}}
    if configured and own != configured:
        print(
            f"note: the checkpoint {checkpoint.source} was trained on {_listed(own or ())}, the "
            f"config's test set has {_listed(configured)}: the checkpoint's names are taken",
            file=sys.stderr,
        )
    return checkpoint.meta


def check_unique(file: Annotations, names: Sequence[str]) -> None:
    """Check that no two categories of a file have one of these names.

    Raises:
        ValueError: Naming their ids.
    """
    counts = Counter(file.classes)
    repeated = [name for name in names if counts[name] > 1]
    if repeated:
        ids = [key for key, name in file.categories if name == repeated[0]]
        raise ValueError(
            f"{file.path} has several categories of the name {repeated[0]!r} (ids "
            f"{', '.join(map(str, ids))}): expected each name once; take out the one without "
            "objects, or rename it"
        )


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
                    f"{key}.metainfo.classes is {_listed(names)}, the categories of {file.path} "
                    f"are in another order, in which mmdet numbers labels: taken as "
                    f"{_listed(labels[key])}"
                )
    for key, classes in labels.items():
        first = next(iter(labels))
        if classes != labels[first]:
            raise ValueError(
                f"{first} has the classes {_listed(labels[first])}, {key} has {_listed(classes)}: "
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
            f"{key}.metainfo.classes has {_listed(missing)}, which {file.path} has not"
            f"{_nearest(missing[0], file.classes)}: its categories are {_listed(file.classes)}; "
            "set metainfo=dict(classes=...) of the data set, or --data-root, which takes them from "
            "the file"
        )
    left_out = [name for name in file.classes if name not in names]
    if left_out:
        notes.append(
            f"{len(left_out)} of the {len(file.classes)} categories of {file.path} are not among "
            f"the classes of {key} ({_listed(left_out)}): their objects are left out"
        )
    # a data set that orders its classes itself
    if dataset_class(dataset).load_data_list is not CocoDataset.load_data_list:
        return names
    return tuple(name for name in file.classes if name in names)


def _nearest(name: str, known: Sequence[str]) -> str:
    by_small = {k.lower(): k for k in known}
    near = difflib.get_close_matches(name.lower(), by_small, n=1)
    return f" (did you mean {by_small[near[0]]!r}?)" if near else ""


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
                f"{head}={number}, but {key} has {len(classes)} classes ({_listed(classes)}): "
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
            f"the checkpoint {trained.source} has the classes {_listed(trained.classes)}, {key} "
            f"has {_listed(classes)}, the order of {file}: labels would be taken for others; sort "
            "'categories' of the annotation file as the checkpoint has them (or, where it was "
            "trained on this very file with names in another order, correct "
            "meta['dataset_meta']['classes'] in it)"
        )
    told = (
        f"the checkpoint {trained.source} was trained on {len(trained.classes)} classes "
        f"({_listed(trained.classes)}), {key} has {len(classes)} ({_listed(classes)})"
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


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f", ... ({len(names)} in all)" if len(names) > _SHOWN else "")
