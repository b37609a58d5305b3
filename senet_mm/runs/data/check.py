"""The data of a run: annotation files, pictures and classes, checked together."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict

from ...coco.annotations import Annotations, read_annotations
from ...coco.dropped import check_objects
from ...coco.images import check_images
from .annotation_copies import evaluates_masks, located_metrics, write_copy
from .classes import Trained, check_classes
from .datasets import annotation_path, image_dir, is_coco, loads_masks, located_datasets
from .pictures import Loader, check_pictures, loader_of
from .shared_pictures import told_shared


@dataclass
class Findings:
    """What a check found that a run can live with.

    Attributes:
        changes: What to set in the config, by key.
        notes: A sentence on all that is out of the ordinary.
        mended: Files that mmdet would not read as they are meant, by the key that names them.
        sizes: (I, 2) width and height of their images, by file.
    """

    changes: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mended: dict[str, Annotations] = field(default_factory=dict)
    sizes: dict[Path, np.ndarray] = field(default_factory=dict)

    def add(self, key: str, file: Annotations) -> None:
        """Take up a file that a key of the config names."""
        if not file.mended:
            return
        self.mended[key] = file
        sizes = self.sizes.setdefault(file.path.resolve(), file.image_sizes)
        if not np.isfinite(sizes).all():
            raise ValueError(
                f"{file.path}, which {key} names, has images without width and height: add them"
            )


def check_data(
    cfg: Config,
    loaders: Sequence[str],
    *,
    pictures: bool = True,
    trained: Trained | None = None,
) -> Findings:
    """Check all that some dataloaders and their evaluators read; nothing is changed.

    Args:
        cfg: The config.
        loaders: Names of the dataloaders.
        pictures: Whether to read the headers of the pictures.
        trained: The classes of the checkpoint that is loaded, if it tells them.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    findings = Findings()
    named: dict[str, list[tuple[Path, Sequence[str]]]] = {loader: [] for loader in loaders}
    for loader in loaders:
        datasets = [pair for pair in located_datasets(cfg, loader) if is_coco(pair[1])]
        for key, dataset in datasets:
            file = _check_dataset(loader, dataset, pictures, findings)
            findings.add(f"{key}.ann_file", file)
            named[loader].append((image_dir(dataset), file.file_names))
        for key, metric in located_metrics(cfg, loader) if datasets else ():
            file = read_annotations(metric["ann_file"])
            if evaluates_masks(metric) and file.mask_problem:
                raise ValueError(file.mask_problem)
            findings.add(f"{key}.ann_file", file)
    findings.notes += told_shared(named)
    findings.changes, notes = check_classes(cfg, loaders, trained)
    findings.notes += notes
    return findings


def settle(findings: Findings, work_dir: Path) -> Mapping[str, Any]:
    """Tell what was found, and write copies of files that mmdet does not read as they are meant.

    Returns:
        What to set in the config, by key.
    """
    copies = {}
    for file in {file.path.resolve(): file for file in findings.mended.values()}.values():
        original = file.path.resolve()
        copies[original] = str(write_copy(file, findings.sizes[original], work_dir))
        findings.notes.append(
            f"{file.path} is read as {copies[original]}, where {'; '.join(file.mended)}"
        )
    for note in dict.fromkeys(findings.notes):
        print(f"note: {note}", file=sys.stderr)
    return findings.changes | {
        key: copies[file.path.resolve()] for key, file in findings.mended.items()
    }


def _check_dataset(
    loader: str, dataset: ConfigDict, pictures: bool, findings: Findings
) -> Annotations:
    path, folder = annotation_path(dataset), image_dir(dataset)
    file = read_annotations(path)
    findings.notes += _check_there_is_something(loader, file)
    check_images(path, folder)
    findings.notes += _named_again(file)
    if loads_masks(dataset) and file.mask_problem:
        raise ValueError(file.mask_problem)
    sizes = file.image_sizes
    unsized = np.flatnonzero(~np.isfinite(sizes).all(axis=1))
    reader = loader_of(dataset)
    if (pictures and reader) or unsized.size:
        places = None if pictures else unsized
        sizes, notes = check_pictures(file, folder, reader or Loader(), places)
        findings.notes += notes
    findings.sizes[path.resolve()] = sizes
    findings.notes += check_objects(file, sizes)
    return file


def _check_there_is_something(loader: str, file: Annotations) -> list[str]:
    """Refuse a training without objects; a sentence on an evaluation without."""
    total = file.num_annotations
    if total and not file.objects.is_crowd.all():
        return []
    crowds = f" but crowds ({total} with iscrowd=1, which count for nothing)" if total else ""
    if loader == "train_dataloader":
        raise ValueError(f"{file.path} has no annotation{crowds}: there is nothing to train on")
    return [
        f"{file.path} has no annotation{crowds}: there is nothing to find, all of AP will be -1"
    ]


def _named_again(file: Annotations) -> list[str]:
    """A sentence on pictures that several images name: their objects are divided among these."""
    repeated = [name for name, count in Counter(file.file_names).items() if count > 1]
    if not repeated:
        return []
    return [
        f"{len(repeated)} pictures of {file.path} are named by several images, first "
        f"{repeated[0]}: what is annotated in one is background in the others"
    ]
