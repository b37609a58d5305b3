"""Downloads into torch.hub's cache, by one process at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import torch
from filelock import FileLock

from .file import named_hash


def cached_path(url: str) -> Path:
    """Where a download is kept. Many hubs call every file alike (``pytorch_model.bin``)."""
    name = PurePosixPath(urlparse(url).path)
    file = name.name
    if not named_hash(file):
        file = f"{name.stem}_{hashlib.sha1(url.encode()).hexdigest()[:8]}{name.suffix}"
    return Path(torch.hub.get_dir()) / "checkpoints" / file


def download(url: str, source: str) -> Path:
    """Download a file; one that is there already is used.

    Args:
        url: Where it is.
        source: What the user gave, for the error.

    Raises:
        ConnectionError: If that fails; says where to put a file that was fetched elsewhere.
    """
    path = cached_path(url)
    if path.is_file():
        return path
    try:
        with one_process(path.name):
            if not path.is_file():  # no other process was faster
                path.parent.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(url, str(path))
    except OSError as error:
        raise ConnectionError(
            f"{source} could not be downloaded ({first_line(error)}). Fetch {url} where there is "
            f"a network, and give the file: init_cfg.checkpoint=PATH, or put it at {path}"
        ) from error
    return path


@contextmanager
def one_process(name: str) -> Iterator[None]:
    """Let one process of those that share a cache run at a time; the lock ends with its process."""
    folder = Path(torch.hub.get_dir()) / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield


def first_line(error: Exception) -> str:
    """The first line of an error's message, or else its kind."""
    return str(error).split("\n")[0] or type(error).__name__
