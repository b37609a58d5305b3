"""mmpretrain's data sets in a config, as mmpretrain itself reads them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import DATASETS

from ...task import Task
from ..datasets import located_datasets


def opened(dataset: ConfigDict) -> Any:
    """A data set of images in folders or lists, or of CIFAR, that has read no image yet.

    Returns:
        mmpretrain's object, whose paths are joined; None for other kinds, which are not looked
        into, and for those that lie on a server.
    """
    from mmpretrain.datasets import CIFAR10, CustomDataset

    kind = Task.CLASSIFICATION.find(DATASETS, dataset.get("type"))
    if not isinstance(kind, type) or not issubclass(kind, (CustomDataset, CIFAR10)):
        return None
    places = (dataset.get("data_root"), dataset.get("ann_file"), dataset.get("data_prefix"))
    if any("://" in str(place) for place in places):
        return None
    options = dict(pipeline=[], lazy_init=True, serialize_data=False)
    return DATASETS.build(dict(dataset, **options, _scope_=Task.CLASSIFICATION.value))


def is_cifar(opened_set: Any) -> bool:
    """Whether a data set is CIFAR's, or of files like its."""
    return hasattr(opened_set, "base_folder")


def opened_of(cfg: Config, loader: str) -> Iterator[tuple[str, ConfigDict, Any]]:
    """Yield the data sets of a dataloader that :func:`opened` knows, with key and config."""
    for key, dataset in located_datasets(cfg, loader):
        found = opened(dataset)
        if found is not None:
            yield key, dataset, found


def downloads_of(cfg: Config, loader: str) -> Iterator[str]:
    """Keys of data sets that download by default where the config does not say so."""
    for key, dataset in located_datasets(cfg, loader):
        kind = Task.CLASSIFICATION.find(DATASETS, dataset.get("type"))
        if (
            isinstance(kind, type)
            and "download" not in dataset
            and ("download" in inspect.signature(kind).parameters)
        ):
            yield f"{key}.download"
