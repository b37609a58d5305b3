"""The data of semantic segmentation: images, each with a map of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS

from ..task import Task
from .check import Findings
from .class_names import listed
from .classes import Trained, heads_of
from .data_root import LOADERS
from .datasets import located_datasets
from .pictures import check_readable, loader_of


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Rewrite the root of every data set; paths below it and classes stay as the config has them.

    Raises:
        FileNotFoundError: If the folder is not there.
        ValueError: If a data set is of another kind.
    """
    if not Path(root).is_dir():
        raise FileNotFoundError(f"--data-root {root} is no folder")
    for loader in LOADERS:
        for key, dataset in located_datasets(cfg, loader):
            if not _is_known(dataset):
                raise ValueError(
                    f"--data-root works with images and label maps in folders (BaseSegDataset), "
                    f"not with {dataset.type}, which {key} is"
                )
            dataset.data_root = str(root)


def check_data(
    cfg: Config,
    loaders: Sequence[str],
    *,
    pictures: bool = True,
    trained: Trained | None = None,
) -> Findings:
    """Check the images and label maps that some dataloaders read, and the number of classes.

    What label maps hold is not read. Data sets of other kinds are left to mmsegmentation.

    Args:
        cfg: The config.
        loaders: Names of the dataloaders.
        pictures: Whether to read the headers of the images.
        trained: The classes of the checkpoint that is loaded, if it tells them.

    Raises:
        FileNotFoundError, ValueError: Naming what is missing or wrong.
    """
    findings = Findings()
    for loader in loaders:
        for key, dataset, found in _opened_of(cfg, loader):
            items = _listed_items(key, found)
            classes = tuple(found.metainfo.get("classes") or ())
            _check_classes(cfg, key, classes, trained)
            reader = loader_of(dataset)
            if pictures and reader is not None:
                check_readable([item["img_path"] for item in items], reader, key)
    return findings


def _is_known(dataset: ConfigDict) -> bool:
    from mmseg.datasets import BaseSegDataset

    kind = Task.SEGMENTATION.find(DATASETS, dataset.get("type"))
    return isinstance(kind, type) and issubclass(kind, BaseSegDataset)


def _opened_of(cfg: Config, loader: str) -> Iterator[tuple[str, ConfigDict, Any]]:
    """Yield key, config and object of the data sets of a dataloader that lie on this machine."""
    for key, dataset in located_datasets(cfg, loader):
        places = (dataset.get("data_root"), dataset.get("ann_file"), dataset.get("data_prefix"))
        if _is_known(dataset) and not any("://" in str(place) for place in places):
            options = dict(pipeline=[], lazy_init=True, _scope_=Task.SEGMENTATION.value)
            yield key, dataset, DATASETS.build(dict(dataset, **options))


def _listed_items(key: str, found: Any) -> list[dict[str, Any]]:
    """The images of a data set and their label maps, all of them there."""
    folder = Path(found.data_prefix.get("img_path") or "")
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{key}: the image folder {folder} is not there: set its data_root and "
            "data_prefix.img_path, or --data-root"
        )
    if found.ann_file and not Path(found.ann_file).exists():
        raise FileNotFoundError(f"{key}: the list {found.ann_file} is not there: set its ann_file")
    items = found.load_data_list()
    if not items:
        raise ValueError(f"{key}: {folder} has no images that end in {found.img_suffix}")
    files = [item[name] for item in items for name in ("img_path", "seg_map_path") if name in item]
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{key}: {len(missing)} of {len(files)} images and label maps are not there (first: "
            f"{missing[0]}); label maps are named as their images, with {found.seg_map_suffix} for "
            f"{found.img_suffix}"
        )
    return items


def _check_classes(
    cfg: Config, key: str, classes: tuple[str, ...], trained: Trained | None
) -> None:
    for head, number in heads_of(cfg.model.get("decode_head"), "model.decode_head"):
        if classes and number != len(classes):
            raise ValueError(
                f"{head}={number}, but {key} has {len(classes)} classes ({listed(classes)}): set "
                f"{head}={len(classes)}, or metainfo.classes of the data sets"
            )
    if trained is not None and trained.must_agree and classes not in ((), trained.classes):
        raise ValueError(
            f"the checkpoint {trained.source} was trained on the classes {listed(trained.classes)},"
            f" {key} has {listed(classes)}: expected the same in the same order"
        )
