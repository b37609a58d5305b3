"""CIFAR's own files: all there, and unchanged."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

_SHOWN = 3


def folder_of(root: str | Path, dataset: Any) -> Path:
    """Where the files of CIFAR are below a root; the root may be that folder itself."""
    root = Path(root)
    return root if root.name == dataset.base_folder else root / dataset.base_folder


def check_files(key: str, dataset: Any) -> None:
    """Check the files of CIFAR-10 or CIFAR-100.

    mmpretrain downloads where one is missing or another; we say so instead.

    Args:
        key: Where the data set stands in the config.
        dataset: mmpretrain's data set, which has read nothing yet.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If a file has another MD5 sum than its publisher's.
    """
    folder = folder_of(dataset.data_prefix["root"], dataset)
    files = [*dataset.train_list, *dataset.test_list]
    remedy = f"unpack {dataset.url} in {folder.parent} (nothing is downloaded unasked)"
    missing = [name for name, _ in files if not (folder / name).is_file()]
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        raise FileNotFoundError(
            f"{folder}, where {key} looks for {type(dataset).__name__}, lacks {len(missing)} of "
            f"{len(files)} files ({shown}): {remedy}, or set --data-root to the folder that has "
            f"{dataset.base_folder}/"
        )
    for name, expected in files:
        found = hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()
        if expected is not None and found != expected:
            raise ValueError(
                f"{folder / name} is damaged or another file: its MD5 sum is {found}, expected "
                f"{expected}: {remedy}"
            )
