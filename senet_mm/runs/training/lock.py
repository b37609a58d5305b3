"""One training in a work dir at a time."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.logging import print_log

LOCK = ".training.lock"


@contextmanager
def hold_work_dir(work_dir: str | Path) -> Iterator[None]:
    """Keep other trainings out of a work dir; its first process holds it for all of a training.

    The kernel lets go when that process ends, however it does.

    Raises:
        BlockingIOError: If another process holds it; names it.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    if not is_main_process():
        yield
        return
    path = Path(work_dir, LOCK)
    with path.open("a+", encoding="utf-8") as file:
        try:
            # of the process: workers, which outlive a killed one by seconds, do not inherit it
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            file.seek(0)
            raise BlockingIOError(
                f"{work_dir} is in use by another training ({file.read().strip() or 'starting'}): "
                "wait for it, or choose another folder with --work-dir"
            ) from error
        except OSError as error:  # of a file system without locks
            print_log(
                f"{path} cannot be locked ({error.strerror}): let no other training use this "
                "work dir",
                "current",
                logging.WARNING,
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {time.asctime()}\n")
        file.flush()
        yield
