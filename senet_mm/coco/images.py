"""Whether the images of an annotation file are on the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote

from .annotations import expected_layout, read_annotations

_NAMED = 3  # how many missing images a message names
# what two names of one picture may differ in
_SPELLINGS: tuple[tuple[Callable[[str], str], str], ...] = (
    (str.lower, ": capitals and small letters differ"),
    (lambda name: normalize("NFC", name), ": Unicode writes its accents in two ways, NFC and NFD"),
    (unquote, ": % stands for a character in one of the two"),
    (str.strip, ": spaces differ"),
    (lambda name: Path(name).stem, ""),
)


def check_images(path: Path, image_dir: Path) -> None:
    """Check that every image of an annotation file is in a folder, a file, and not empty.

    Raises:
        FileNotFoundError: Naming the folder, or some of the images.
    """
    if not image_dir.is_dir():
        raise FileNotFoundError(f"image folder {image_dir} not found. {expected_layout()}")
    with os.scandir(image_dir) as entries:
        present = {entry.name for entry in entries if _is_file(entry)}
    # a file name may have a subfolder, which the listing does not show
    missing = [
        name
        for name in read_annotations(path).file_names
        if name not in present and not _is_file(image_dir / name)
    ]
    if missing:
        hint = _hint(missing[0], image_dir)
        raise FileNotFoundError(
            f"{len(missing)} images of {path} are missing, empty or no files in {image_dir}: "
            f"{', '.join(missing[:_NAMED])}{', ...' if len(missing) > _NAMED else ''}"
            f"{f' ({hint})' if hint else ''}"
        )


def _is_file(entry: os.DirEntry[str] | Path) -> bool:
    """Whether something is a regular file with content, found without opening it."""
    try:
        state = entry.stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size > 0


def _hint(name: str, image_dir: Path) -> str | None:
    """What the name of a missing image might have meant."""
    if "\0" in name:
        return "the name holds a null character"
    place = image_dir / name
    if place.exists():
        kind = "a folder" if place.is_dir() else "empty" if place.is_file() else "no regular file"
        return f"{name} is {kind}"
    slashes = name.replace("\\", "/")
    if slashes != name and _is_file(image_dir / slashes):
        return f"{slashes} is there: write the names with /"
    if _is_file(image_dir.parent / name):
        return (
            f"{image_dir.parent / name} is there: the names hold the folder already, so set "
            "data_prefix=dict(img='') of the data set or take it out of them"
        )
    if _is_file(image_dir / Path(slashes).name):
        return f"{Path(slashes).name} is there, without the folders of the name"
    folder = place.parent
    if folder.is_dir():
        present = os.listdir(folder)
        for alike, difference in _SPELLINGS:
            same = [other for other in present if alike(other) == alike(place.name)]
            if same:
                return f"{same[0]} is there{difference}"
    return None
