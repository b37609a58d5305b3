"""Get a checkpoint by its name, and no checkpoint twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .checkpoint import Checkpoint, unwrap
from .file import read_file
from .hub import HUB, hub_file
from .places import local_file, state_of
from .timm_zoo import TIMM, fetch_timm

# What a check of this process has read; None where its tensors are not kept, or no more.
_checked: dict[tuple[str, int, int], Checkpoint | None] = {}
# What those say of themselves.
_metas: dict[tuple[str, int, int], Mapping[str, Any]] = {}


def fetch(source: str, *, unsafe: bool = False) -> Checkpoint:
    """Get a checkpoint, from the cache or the network where it is not a file.

    Args:
        source: A file, a URL (``http://``, ``https://``, ``s3://``), or a name:
            ``timm://``, ``hf://``, ``torchvision://``, ``open-mmlab://``, ``mmcls://``.
        unsafe: Let a file's pickle make any Python object, which can run code.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a name is unknown or a file is no checkpoint.
        ConnectionError: If a download fails.
        ImportError: If timm, huggingface_hub or safetensors is needed and missing.
    """
    kept = None if unsafe else _kept(source)
    if kept is not None:
        return kept
    if source.startswith(TIMM):
        return fetch_timm(source)
    if source.startswith(HUB):
        return unwrap(source, read_file(hub_file(source), unsafe=unsafe))
    with local_file(source) as path:
        content = read_file(path, unsafe=unsafe)
    return unwrap(source, content)


def check(source: str, *, keep: bool = False) -> None:
    """Read a checkpoint to see that it can be read, unless this process has since it was changed.

    Args:
        source: As for :func:`fetch`.
        keep: Keep the tensors for :func:`fetch`, until :func:`release`.

    Raises:
        FileNotFoundError, ValueError, ConnectionError, ImportError: As :func:`fetch`.
    """
    if _state_of(source) in _checked:
        return
    checkpoint = fetch(source)
    state = _state_of(source)  # now that it is downloaded
    if state is not None:
        _checked[state] = checkpoint if keep else None
        _metas[state] = checkpoint.meta


def meta_of(source: str) -> Mapping[str, Any]:
    """What a checkpoint says of itself; one that a check of this process has read is not again.

    Raises:
        FileNotFoundError, ValueError, ConnectionError, ImportError: As :func:`fetch`.
    """
    state = _state_of(source)
    return _metas[state] if state in _metas else fetch(source).meta


def release() -> None:
    """Give up the tensors that checks have kept: the run has loaded them."""
    _checked.update(dict.fromkeys(_checked))


def _kept(source: str) -> Checkpoint | None:
    state = _state_of(source) if _checked else None
    return _checked.get(state) if state else None


def _state_of(source: str) -> tuple[str, int, int] | None:
    """What tells whether a source has changed; the hub and timm keep what they have downloaded."""
    return (source, 0, 0) if source.startswith((TIMM, HUB)) else state_of(source)
