"""Point a config of a classifier at any folder."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from ..data_root import LOADERS, set_num_classes
from ..datasets import located_datasets
from .cifar import folder_of
from .datasets import is_cifar, opened
from .folders import LAYOUT, check_same_folders, class_folders


def set_data_root(cfg: Config, root: str | Path) -> None:
    """Rewrite the root of every data set, and the classes where folders name them, in place.

    The paths below the root stay as the config has them. If the folders of classes are not as many
    as the config's classes, they replace them: ``metainfo`` of each data set and every
    ``num_classes`` of the model.

    Raises:
        FileNotFoundError: If the folder, or one that a data set needs, is not there.
        ValueError: If a data set is of another kind or has absolute paths, or the classes of two
            differ.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"--data-root {root} is no folder: {LAYOUT}, or CIFAR's own files")
    datasets = {key: one for name in LOADERS for key, one in located_datasets(cfg, name)}
    folders: dict[str, tuple[str, ...]] = {}
    classes = None
    for key, dataset in datasets.items():
        for place in (dataset.get("ann_file"), dataset.get("data_prefix")):
            if isinstance(place, str) and Path(place).is_absolute():
                raise ValueError(f"--data-root cannot move the absolute path {place} of {key}")
        dataset.data_root = str(root)
        found = opened(dataset)
        if found is None:
            raise ValueError(
                "--data-root works with images in folders or lists (CustomDataset, ImageNet) and "
                f"with CIFAR, not with {dataset.type}, which {key} is"
            )
        if is_cifar(found):
            dataset.data_root = str(folder_of(root, found).parent)
        elif found.with_label and not found.ann_file:
            classes = found.CLASSES
            folders[key] = class_folders(key, found)
    check_same_folders(folders)
    names = next(iter(folders.values()), ())
    if not names or (classes and len(classes) == len(names)):
        return  # as ImageNet's, whose folders have other names
    for dataset in datasets.values():
        dataset.metainfo = dict(dataset.get("metainfo") or {}, classes=names)
    parts = [cfg.model, cfg.get("data_preprocessor")]
    old = len(classes) if classes else (cfg.model.get("head") or {}).get("num_classes")
    if old is not None and not set_num_classes(parts, old, len(names)):
        raise ValueError(
            f"{root} has {len(names)} classes, but no part of the model has the num_classes={old} "
            "of the config's data set, which would follow"
        )
