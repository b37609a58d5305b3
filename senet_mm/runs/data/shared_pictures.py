"""Pictures that a run both trains on and is judged by."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from pathlib import Path

Pictures = Sequence[tuple[Path, Sequence[str]]]  # folders and the names in them


def told_shared(pictures: Mapping[str, Pictures]) -> list[str]:
    """A sentence on pictures that stand in the training and in the validation set.

    They are the same file, or files of one name and, byte for byte, one content.

    Args:
        pictures: Those of each dataloader.
    """
    trained = {
        name: folder / name
        for folder, names in pictures.get("train_dataloader", ())
        for name in names
    }
    judged = [
        (trained[name], folder / name)
        for folder, names in pictures.get("val_dataloader", ())
        for name in names
        if name in trained
    ]
    shared = sum(_are_same(*pair) for pair in judged)
    if not shared:
        return []
    total = sum(len(names) for _, names in pictures["val_dataloader"])
    return [
        f"{shared} of {total} pictures of val_dataloader are in train_dataloader too: AP on them "
        "tells what was memorized"
    ]


def _are_same(one: Path, other: Path) -> bool:
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
