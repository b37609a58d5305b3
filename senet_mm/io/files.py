"""Write files whole or not at all, and into folders that take them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a place beside a file to write to; it takes the file's place if that succeeds."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        yield unfinished
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: str) -> Path:
    """Write text, whole or not at all; returns the path."""
    with whole_file(path) as unfinished:
        unfinished.write_text(content, encoding="utf-8")
    return path


def make_writable(folder: Path, name: str, way_out: str) -> None:
    """Create a folder and make sure that files can be written there.

    Args:
        folder: The folder.
        name: What to call it in the error.
        way_out: What to do instead, for the error.

    Raises:
        OSError: If it cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write_probe_{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"cannot write to {name} ({error.strerror}): {way_out}") from error
