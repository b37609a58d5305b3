"""The data of a classifier: files, images, classes and labels, checked together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config, ConfigDict

from ..check import Findings
from ..class_names import listed
from ..classes import Trained, heads_of
from ..pictures import check_readable, loader_of
from .cifar import check_files
from .datasets import downloads_of, is_cifar, opened_of
from .folders import check_list, check_names, check_same_folders, class_folders


def check_data(
    cfg: Config,
    loaders: Sequence[str],
    *,
    pictures: bool = True,
    trained: Trained | None = None,
) -> Findings:
    """Check all that some dataloaders read; nothing is changed.

    Data sets of other kinds than images in folders or lists and CIFAR are left to mmpretrain, but
    none downloads unless its config says ``download=True``.

    Args:
        cfg: The config.
        loaders: Names of the dataloaders.
        pictures: Whether to read the headers of the pictures.
        trained: The classes of the checkpoint that is loaded, if it tells them.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    findings = Findings()
    classes: dict[str, tuple[str, ...]] = {}
    folders: dict[str, tuple[str, ...]] = {}
    for loader in loaders:
        findings.changes |= {key: False for key in downloads_of(cfg, loader)}
        for key, dataset, found in opened_of(cfg, loader):
            if is_cifar(found):  # its labels are known, and reading them would join processes
                try:
                    check_files(key, found)
                except (FileNotFoundError, ValueError):
                    if not dataset.get("download"):
                        raise
                    findings.notes.append(f"{key}.download=True: {found.url} will be downloaded")
                    continue
            else:
                if found.ann_file:
                    check_list(key, found)
                elif found.with_label:
                    folders[key] = class_folders(key, found)
                    findings.notes += check_names(key, folders[key], found.CLASSES)
                    check_same_folders(folders)
                found.full_init()
                if pictures:
                    _check_pictures(key, dataset, found)
            classes[key] = tuple(found.CLASSES or ())
            _check_labels(cfg, key, found, findings.notes)
        findings.changes |= _possible_top(cfg, loader.replace("_dataloader", "_evaluator"))
    findings.notes += [f"{key} is set to {value}" for key, value in findings.changes.items()]
    _check_classes(classes, trained, findings.notes)
    findings.notes = list(dict.fromkeys(findings.notes))
    return findings


def _check_labels(cfg: Config, key: str, dataset: Any, notes: list[str]) -> None:
    """Compare labels with the classes of the data set and of the heads."""
    names = dataset.CLASSES
    if is_cifar(dataset):
        most = len(names) - 1
    elif not len(dataset):
        raise ValueError(f"{key} has no images")
    elif not dataset.with_label:
        return
    else:
        most = max(info["gt_label"] for info in dataset.data_list)
    number = len(names) if names else most + 1
    for head, outputs in heads_of(cfg.model):
        if max(most + 1, number) > outputs:
            raise ValueError(
                f"{key} has {number} classes and labels up to {most}, but {head}={outputs}: set "
                f"{head}={max(most + 1, number)}"
            )
        if number < outputs:
            notes.append(f"{head}={outputs}, but {key} has {number} classes: the rest is never met")
    if most >= number:
        raise ValueError(
            f"{key} has labels up to {most}, but {number} classes ({listed(names)}): expected "
            f"labels from 0 to {number - 1}"
        )


def _check_pictures(key: str, dataset: ConfigDict, found: Any) -> None:
    loader = loader_of(dataset)
    if loader is not None:
        paths = [info["img_path"] for info in found.data_list]
        check_readable(paths, loader, key)


def _check_classes(
    classes: Mapping[str, tuple[str, ...]], trained: Trained | None, notes: list[str]
) -> None:
    """The data sets must have the same classes in one order, and the checkpoint too."""
    first = next(iter(classes), "")
    for key, names in classes.items():
        if names != classes[first]:
            raise ValueError(
                f"{first} has the classes {listed(classes[first])}, {key} has {listed(names)}: "
                "expected the same in the same order"
            )
    if trained is None or not classes.get(first) or trained.classes == classes[first]:
        return
    told = (
        f"the checkpoint {trained.source} was trained on {len(trained.classes)} classes "
        f"({listed(trained.classes)}), {first} has {len(classes[first])} ({listed(classes[first])})"
    )
    if trained.must_agree:
        raise ValueError(f"{told}: expected the same, as labels number them")
    notes.append(f"{told}: what its head knows of classes is taken for others, or starts anew")


def _possible_top(cfg: Config, evaluator: str) -> dict[str, Any]:
    """``topk`` of accuracies without numbers above the number of classes, which would fail."""
    head = (cfg.model.get("head") or {}).get("num_classes")
    changes = {}
    for key, metric in _metrics(evaluator, cfg.get(evaluator)):
        given = metric.get("topk")
        if isinstance(head, int) and isinstance(given, (list, tuple)) and max(given) > head:
            changes[f"{key}.topk"] = tuple(k for k in given if k <= head) or (1,)
    return changes


def _metrics(key: str, node: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, (list, tuple)):
        for place, part in enumerate(node):
            yield from _metrics(f"{key}.{place}", part)
    elif isinstance(node, Mapping):
        yield key, node
