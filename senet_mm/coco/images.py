"""Whether the images of an annotation file are on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from .annotations import expected_layout, read_annotations

_NAMED = 3  # how many missing images a message names


def check_images(path: Path, image_dir: Path) -> None:
    """Check that every image of an annotation file is in a folder and not empty.

    Raises:
        FileNotFoundError: Naming the folder, or some of the images.
    """
    if not image_dir.is_dir():
        raise FileNotFoundError(f"image folder {image_dir} not found. {expected_layout()}")
    with os.scandir(image_dir) as entries:
        present = {entry.name for entry in entries if entry.stat().st_size > 0}
    # a file name may have a subfolder, which the listing does not show
    missing = [
        name
        for name in read_annotations(path).file_names
        if name not in present and not _non_empty(image_dir / name)
    ]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} images of {path} are missing or empty in {image_dir}: "
            f"{', '.join(missing[:_NAMED])}{', ...' if len(missing) > _NAMED else ''}"
        )


def _non_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
