"""Images in a folder for each class, or in a list with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..class_names import listed

LAYOUT = (
    "expected train/CLASS/*.jpg and val/CLASS/*.jpg, or as of ImageNet train/, val/ and "
    "meta/train.txt, meta/val.txt with lines `IMAGE LABEL`"
)


def class_folders(key: str, dataset: Any) -> tuple[str, ...]:
    """The folders of a data set whose classes are folders, in the order of its labels.

    Args:
        key: Where the data set stands in the config.
        dataset: mmpretrain's data set, which has read nothing yet.

    Raises:
        FileNotFoundError: If its folder is not there.
        ValueError: If it has no classes, or one without images.
    """
    root = Path(dataset.img_prefix)
    if not root.is_dir():
        raise FileNotFoundError(f"{key}: {root} is no folder; {LAYOUT}: set --data-root")
    # as mmpretrain lists them
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    if not folders:
        images = sum(map(dataset.is_valid_file, map(str, root.iterdir())))
        raise ValueError(
            f"{root}, which {key} reads, has no folders of classes ({images} images lie in it); "
            f"{LAYOUT}"
        )
    empty = [name for name in folders if not _has_images(root / name, dataset)]
    if empty:
        raise ValueError(
            f"{len(empty)} of the {len(folders)} classes in {root} have no images (first "
            f"{empty[0]!r}; images end in {', '.join(sorted(dataset.extensions))}): add some, or "
            "take the folders away, in train and val alike"
        )
    return tuple(folders)


def check_list(key: str, dataset: Any) -> None:
    """Check the list of a data set that names its images in one.

    Args:
        key: Where the data set stands in the config.
        dataset: mmpretrain's data set, which has read nothing yet.

    Raises:
        FileNotFoundError: If the list or the folder of the images is not there.
        ValueError: If it is empty, or a line is no image and label.
    """
    path, root = Path(dataset.ann_file), Path(dataset.img_prefix)
    if not path.is_file():
        raise FileNotFoundError(f"{key}: {path} is no file; {LAYOUT}: set --data-root")
    if not root.is_dir():
        raise FileNotFoundError(f"{key}: {root} is no folder; {LAYOUT}: set --data-root")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text: {error}") from error
    if not lines:
        raise ValueError(f"{path} is empty; expected lines `IMAGE LABEL`")
    for number, line in enumerate(lines if dataset.with_label else (), 1):
        name, _, label = line.strip().rpartition(" ")
        if not name or not label.isdecimal():
            raise ValueError(
                f"line {number} of {path} is {line!r:.80}; expected `IMAGE LABEL`, with the number "
                "of the class from 0 on"
            )


def _has_images(folder: Path, dataset: Any) -> bool:
    """Whether mmpretrain finds an image in a folder, or in one below it."""
    return any(
        not path.name.startswith(".") and dataset.is_valid_file(path.name) and path.is_file()
        for path in folder.rglob("*")
    )


def check_names(key: str, folders: Sequence[str], classes: Sequence[str] | None) -> list[str]:
    """Check the classes of a config against its folders, by whose order mmpretrain numbers labels.

    Classes may be called otherwise than their folders, as ImageNet's are.

    Returns:
        A sentence where all are.

    Raises:
        ValueError: If they are not as many, or some are called alike and others are not.
    """
    if classes is None or list(classes) == list(folders):
        return []
    if len(classes) != len(folders):
        raise ValueError(
            f"{key} has {len(classes)} classes ({listed(classes)}) and {len(folders)} folders of "
            f"them ({listed(folders)}): expected as many; --data-root takes the classes from the "
            "folders"
        )
    if set(classes) & set(folders):
        raise ValueError(
            f"{key} has the classes {listed(classes)}, but labels are numbered in the order of its "
            f"folders, {listed(folders)}: give {key}.metainfo.classes the same names in that order"
        )
    return [f"{key}: the folders {listed(folders)} are taken for the classes {listed(classes)}"]


def check_same_folders(folders: Mapping[str, Sequence[str]]) -> None:
    """Check that data sets have the same folders of classes.

    Args:
        folders: Their names, by where the data sets stand in the config.

    Raises:
        ValueError: Naming the classes that one has and the other has not.
    """
    first = next(iter(folders), "")
    for key, names in folders.items():
        if names == folders[first]:
            continue
        only = [name for name in folders[first] if name not in names]
        more = [name for name in names if name not in folders[first]]
        told = f"{first} alone has {listed(only)}" if only else f"{key} alone has {listed(more)}"
        raise ValueError(
            f"{first} has {len(folders[first])} folders of classes, {key} has {len(names)}: "
            f"{told}. Labels are numbered in their order: expected the same folders in both"
        )
