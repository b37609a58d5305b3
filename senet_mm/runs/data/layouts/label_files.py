"""The label files of a folder: each read once at most, and none where all are as they were."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from .store import find_stored, store

_FILE = "labels.json"
_THREADS = 8
# what has changed so lately may change once more within the same tick of a file system's clock
_UNSETTLED = 2_000_000_000  # ns
_Made = TypeVar("_Made", str, list[str])  # what JSON gives back as it was


class LabelFiles:
    """Reads label files, and keeps what is made of them for commands to come.

    As git has it, a file is as it was where its name, size, inode and the times of its last change
    are: mtime, and ctime, which programs that copy files cannot set.

    Args:
        root: The folder that they belong to.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._contents: dict[Path, bytes] = {}
        self._states: dict[Path, str] = {}
        self._unsettled: set[Path] = set()
        self._kept = _read(find_stored(root, _FILE))
        self._is_new = False

    def read(self, paths: Sequence[Path]) -> list[bytes]:
        """The content of each."""
        self._look_at(paths)  # first: what changes from here on has another state
        unread = [path for path in dict.fromkeys(paths) if path not in self._contents]
        if unread:
            with ThreadPoolExecutor(_THREADS) as pool:  # disks are slower than these are long
                contents = pool.map(Path.read_bytes, unread)
                self._contents |= zip(unread, contents, strict=True)
        return [self._contents[path] for path in paths]

    def derive(
        self, name: str, paths: Sequence[Path], make: Callable[[list[bytes]], _Made]
    ) -> _Made:
        """What ``make`` makes of the contents of files, which are read where it is not known.

        Args:
            name: What that is called.
            paths: The files.
            make: Makes it; for one name always alike.
        """
        self._look_at(paths)
        states = "\n".join(self._states[path] for path in paths)
        state = hashlib.sha256(states.encode()).hexdigest()
        kept = self._kept.get(name)
        if kept is not None and kept["state"] == state:
            made: _Made = kept["made"]
            return made
        made = make(self.read(paths))
        if self._unsettled.isdisjoint(paths):
            self._kept[name] = dict(state=state, made=made)
            self._is_new = True
        return made

    def keep(self) -> None:
        """Have later commands know what was made; where nothing can be written, they make it."""
        if self._is_new:
            with contextlib.suppress(OSError):
                store(self._root, _FILE, lambda: json.dumps(self._kept), replace=True)
            self._is_new = False

    def _look_at(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if path in self._states:
                continue
            now, status = time.time_ns(), os.stat(path)
            changed = (status.st_mtime_ns, status.st_ctime_ns)
            state = [path.name, status.st_size, status.st_ino, *changed]
            self._states[path] = json.dumps(state)
            if max(changed) > now - _UNSETTLED:
                self._unsettled.add(path)


def _read(file: Path | None) -> dict[str, Any]:
    """What was kept; nothing where that cannot be read."""
    if file is None:
        return {}
    try:
        kept = json.loads(file.read_bytes())
        return {name: dict(state=one["state"], made=one["made"]) for name, one in kept.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
