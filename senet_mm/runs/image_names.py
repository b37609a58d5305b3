"""What an image is called: its path below its image folder, as two folders may share file names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_PREFIXES = ("img", "img_path")  # of mmdet and of mmpretrain


def image_folders(dataset: Any) -> Iterator[Path]:
    """The image folders of a data set, and of those that it wraps."""
    inner = [dataset.dataset] if hasattr(dataset, "dataset") else getattr(dataset, "datasets", [])
    for part in inner:
        yield from image_folders(part)
    prefixes = getattr(dataset, "data_prefix", None) or {}
    yield from (Path(prefixes[name]) for name in _PREFIXES if prefixes.get(name))


def below(path: Path, folders: Sequence[Path]) -> Path:
    """A picture's path below its image folder; its name where it lies elsewhere."""
    for folder in folders:
        if path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts:
            return path.relative_to(folder)
    return Path(path.name)
