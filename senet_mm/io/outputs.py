"""Where results go: checked before the work, distinct, and whole or not there."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .files import make_writable


def check_output(path: str | Path, flag: str) -> None:
    """Make sure that a file can be written, before the work that fills it; its folder is made.

    Args:
        path: The file.
        flag: The argument that names it, for the error.

    Raises:
        OSError: If it cannot be written.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{flag} {path} is a folder: expected a file")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(f"{flag} {path} may not be written: choose another")
    make_writable(path.parent, f"{flag} {path}", f"choose another {flag}")


@contextmanager
def whole_output(path: str | Path) -> Iterator[str]:
    """Give a place to write to, with the same suffix; it takes the file's place if that succeeds.

    A library that writes by itself, and minds the suffix, writes whole files this way.
    """
    path = Path(path)
    unfinished = path.with_name(f"{path.stem}.unfinished{path.suffix}")
    try:
        yield str(unfinished)
        if unfinished.exists():  # of several processes one writes
            os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def spread(names: Sequence[Path], out_dir: str | Path) -> list[Path]:
    """Choose a folder for the results of each picture, so that no two of a folder have one name.

    Suffixes do not count: ``x.jpg`` and ``x.png`` would have one ``x.json``.

    Args:
        names: What the pictures are called, with the folders to keep.
        out_dir: Where results go.

    Returns:
        For each name its folder below ``out_dir``; below ``out_dir/2``, ``out_dir/3`` and so on
        where the name is taken.
    """
    taken: set[str] = set()
    folders = []
    for name in names:
        roots = itertools.chain(
            [Path(out_dir)], (Path(out_dir, str(n)) for n in itertools.count(2))
        )
        # case too: some disks do not tell it apart
        root = next(r for r in roots if str(r / name.with_suffix("")).lower() not in taken)
        taken.add(str(root / name.with_suffix("")).lower())
        folders.append(root / name.parent)
    return folders
