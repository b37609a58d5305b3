"""Where files go that are made of a folder: into it, or where it is read-only beside the user's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from ....io.files import write_whole

FOLDER = "senet_mm_annotations"


def find_stored(root: Path, name: str) -> Path | None:
    """A file that was made of a folder, if it is there."""
    return next((place / name for place in _places(root) if (place / name).is_file()), None)


def store(root: Path, name: str, make: Callable[[], str], *, replace: bool = False) -> Path:
    """Write a file that is made of a folder, unless another process has done so meanwhile.

    It goes to ``senet_mm_annotations/`` of the folder, or, where that cannot be written, to the
    user's cache (``$XDG_CACHE_HOME/senet_mm``, ``~/.cache/senet_mm``).

    Args:
        root: The folder.
        name: What the file is called.
        make: Makes its content.
        replace: Whether to write it where it is there already.

    Raises:
        OSError: If it can be written in neither place.
    """
    failed: OSError | None = None
    for place in _places(root):
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock = FileLock(place / ".lock")
            lock.acquire()
        except OSError as error:  # a folder or a disk that may only be read
            failed = failed or error
            continue
        try:
            path = place / name
            return path if path.is_file() and not replace else write_whole(path, make())
        finally:
            lock.release()
    own, cache = _places(root)
    raise OSError(
        f"the COCO files of {root} can be written neither to {own} ({failed and failed.strerror}) "
        f"nor to {cache}: set XDG_CACHE_HOME to a folder that can be written"
    )


def _places(root: Path) -> tuple[Path, Path]:
    root = Path(os.path.abspath(root))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    number = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return root / FOLDER, cache / "senet_mm" / f"{root.name}-{number}"
