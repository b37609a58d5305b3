"""A folder to build a set in, which the next run removes if this one is killed."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path


def scratch_folder(root: Path) -> AbstractContextManager[str]:
    """A hidden folder beside ``root``, whose name tells who builds there; removed at the end."""
    prefix = f"{_prefix(root)}{os.getpid()}-"
    return tempfile.TemporaryDirectory(dir=root.parent, prefix=prefix)


def remove_leftovers(root: Path) -> None:
    """Remove the scratch folders of ``root`` whose process, on this machine, has ended."""
    prefix = _prefix(root)
    for folder in root.parent.iterdir():
        pid = folder.name.removeprefix(prefix).partition("-")[0]
        if folder.name.startswith(prefix) and pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _prefix(root: Path) -> str:
    return f".{root.name}-unfinished-{socket.gethostname()}-"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True
