"""The data sets of a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset


def datasets_of(cfg: Config, loader: str) -> Iterator[ConfigDict]:
    """Yield the data sets of a dataloader, those inside wrappers (repeat, concat) included."""
    for _, dataset in located_datasets(cfg, loader):
        yield dataset


def located_datasets(cfg: Config, loader: str) -> Iterator[tuple[str, ConfigDict]]:
    """Yield the data sets of a dataloader, each with the key of the config where it stands."""
    stack = [(f"{loader}.dataset", cfg[loader].dataset)] if cfg.get(loader) else []
    while stack:
        key, dataset = stack.pop()
        if "dataset" in dataset:
            stack.append((f"{key}.dataset", dataset["dataset"]))
        elif dataset.get("datasets"):
            stack += [(f"{key}.datasets.{i}", inner) for i, inner in enumerate(dataset.datasets)]
        else:
            yield key, dataset


def single_test_set(cfg: Config) -> ConfigDict:
    """The data set of the test dataloader, inside whatever wraps it.

    Raises:
        ValueError: If there is none or more than one, or it names no annotation file.
    """
    datasets = list(datasets_of(cfg, "test_dataloader"))
    if len(datasets) != 1:
        number = f"{len(datasets)} data sets" if datasets else "none"
        raise ValueError(
            f"expected one data set in test_dataloader, the config {cfg.filename or ''} has "
            f"{number}: set test_dataloader.dataset"
        )
    if not datasets[0].get("ann_file"):
        raise ValueError(
            f"the test data set ({datasets[0].get('type')}) names no annotation file: set "
            "test_dataloader.dataset.ann_file"
        )
    return datasets[0]


def dataset_class(dataset: ConfigDict) -> type[BaseDataset]:
    """The class of a data set, which a config gives by name or as it is."""
    return DATASETS.get(dataset.type) if isinstance(dataset.type, str) else dataset.type


def is_coco(dataset: ConfigDict) -> bool:
    """Whether a data set reads COCO's instances files from the local disk.

    LVIS reads COCO's format, but with images named in another way.
    """
    kind = dataset_class(dataset)
    lvis = any(parent.__name__.startswith("LVIS") for parent in kind.__mro__)
    return issubclass(kind, CocoDataset) and not lvis and not dataset.get("backend_args")


def annotation_path(dataset: ConfigDict) -> Path:
    """Path of a data set's annotation file."""
    return Path(dataset.get("data_root") or "") / dataset.ann_file


def image_dir(dataset: ConfigDict) -> Path:
    """Image folder of a data set."""
    prefix = (dataset.get("data_prefix") or {}).get("img", "")
    return Path(dataset.get("data_root") or "") / prefix


def transforms_of(pipeline: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the transforms of a pipeline, those inside others included."""
    if isinstance(pipeline, (list, tuple)):
        for part in pipeline:
            yield from transforms_of(part)
    elif isinstance(pipeline, Mapping):
        yield pipeline
        for part in pipeline.values():
            if isinstance(part, (list, tuple, Mapping)):
                yield from transforms_of(part)


def loads_masks(dataset: ConfigDict) -> bool:
    """Whether the pipeline of a data set loads masks."""
    return any(transform.get("with_mask") for transform in transforms_of(dataset.get("pipeline")))
