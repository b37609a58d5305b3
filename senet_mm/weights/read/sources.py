"""Get a checkpoint from wherever its name says: a file, a URL, a model zoo, timm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mmengine.fileio import get_local_path

from .checkpoint import Checkpoint, unwrap
from .download import cached_path, download
from .file import CorruptError, read_file
from .timm_zoo import TIMM, fetch_timm
from .zoo import url_of

_BUCKET = re.compile(r"(\S+:)?(s3|petrel)://")  # as mmengine knows them
# a source, and the time and size of its file
_State = tuple[str, int, int]
# What a check of this process has read; None where its tensors are not kept, or no more.
_checked: dict[_State, Checkpoint | None] = {}


def fetch(source: str, *, unsafe: bool = False) -> Checkpoint:
    """Get a checkpoint, from the cache or the network where it is not a file.

    Args:
        source: A file, a URL (``http://``, ``https://``, ``s3://``), or a name:
            ``timm://``, ``torchvision://``, ``open-mmlab://``, ``mmcls://``.
        unsafe: Let a file's pickle make any Python object, which can run code.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a name is unknown or a file is no checkpoint.
        ConnectionError: If a download fails.
        ImportError: If timm or safetensors is needed and missing.
    """
    if not unsafe and _checked:
        state = _state_of(source)
        kept = _checked.get(state) if state else None
        if kept is not None:
            return kept
    if source.startswith(TIMM):
        return fetch_timm(source)
    url = url_of(source)
    if url is not None:
        return unwrap(source, _read_download(download(url, source), source, unsafe))
    if _BUCKET.match(source):
        with get_local_path(source, backend_args=dict(backend="petrel")) as copy:
            return unwrap(source, read_file(copy, unsafe=unsafe))
    # also of an unknown scheme, as mmengine does
    return unwrap(source, read_file(source, unsafe=unsafe))


def check(source: str, *, keep: bool = False) -> None:
    """Read a checkpoint to see that it can be read, unless this process has since it was changed.

    Args:
        source: As for :func:`fetch`.
        keep: Keep the tensors for :func:`fetch`, until :func:`release`.

    Raises:
        FileNotFoundError, ValueError, ConnectionError, ImportError: As :func:`fetch`.
    """
    state = _state_of(source)
    if state is not None and state in _checked:
        return
    checkpoint = fetch(source)
    state = _state_of(source)  # now that it is downloaded
    if state is not None:
        _checked[state] = checkpoint if keep else None


def release() -> None:
    """Give up the tensors that checks have kept: the run has loaded them."""
    _checked.update(dict.fromkeys(_checked))


def _state_of(source: str) -> _State | None:
    """What tells whether a source has changed; None where there is no file yet, or none here."""
    if source.startswith(TIMM):
        return source, 0, 0
    if _BUCKET.match(source):
        return None
    url = url_of(source)
    try:
        status = (Path(source).expanduser() if url is None else cached_path(url)).stat()
    except OSError:
        return None
    return source, status.st_mtime_ns, status.st_size


def _read_download(path: Path, source: str, unsafe: bool) -> dict[str, Any]:
    """Read a downloaded file, and remove it if it is not what was asked for."""
    try:
        return read_file(path, unsafe=unsafe)
    except CorruptError as error:
        path.unlink(missing_ok=True)
        raise ValueError(
            f"{source}: {error}. The file was removed, so that the next try downloads it again"
        ) from error
