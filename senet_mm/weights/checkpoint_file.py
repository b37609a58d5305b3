"""Read a checkpoint file without running anything in it, and say what is wrong with it."""

from __future__ import annotations

import hashlib
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from . import safe_pickle

# OpenMMLab and torch.hub end a file's name in the first digits of its sha256
_NAMED_HASH = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
_NOT_WEIGHTS = {
    b"<": "a web page (HTML), not weights: the download went wrong",
    b"version https://git-lfs": "a git-lfs pointer, not weights: run `git lfs pull`",
}


def read_file(path: str | Path, *, unsafe: bool = False) -> dict[str, Any]:
    """Read a checkpoint onto the CPU: torch's formats, or safetensors.

    Args:
        path: The file.
        unsafe: Let a pickle make any Python object, which can run code.

    Returns:
        What the file holds, a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty, truncated, no checkpoint, differs from the
            hash in its name, or needs ``unsafe``.
        ImportError: If it is a safetensors file and safetensors is missing.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint {path} not found")
    with path.open("rb") as file:
        start = file.read(256)
    if not start:
        raise ValueError(f"checkpoint {path} is empty")
    for mark, what in _NOT_WEIGHTS.items():
        if start.lstrip().startswith(mark):
            raise ValueError(f"checkpoint {path} is {what}")
    _check_named_hash(path)
    safetensors = path.suffix == ".safetensors"
    content = _read_safetensors(path) if safetensors else _read_torch(path, unsafe)
    if not isinstance(content, Mapping):
        raise ValueError(f"{path} is no checkpoint: it holds a {type(content).__name__}")
    return dict(content)


def sha256(path: str | Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _check_named_hash(path: Path) -> None:
    match = _NAMED_HASH.search(path.name)
    # eight digits alone may as well be a date
    if match is None or match.group(1).isdigit():
        return
    digest = sha256(path)
    if not digest.startswith(match.group(1)):
        raise ValueError(
            f"checkpoint {path} is corrupt or truncated: its sha256 starts with {digest[:8]}, its "
            f"name says {match.group(1)}. Download it again (or, if it was changed on purpose, "
            "rename it without that suffix)"
        )


def _read_torch(path: Path, unsafe: bool) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                raise ValueError(f"{path} is a TorchScript archive, not a checkpoint")
    try:
        return torch.load(
            path,
            map_location="cpu",
            pickle_module=pickle if unsafe else safe_pickle,
            weights_only=False,
        )
    except safe_pickle.UnsafePickleError as error:
        raise ValueError(
            f"checkpoint {path} holds Python objects beyond tensors and plain data ({error}); to "
            "read them can run code. If you trust the file, convert it once: python "
            f"tools/convert_weights.py {path} OUT.pth --unsafe"
        ) from error
    except Exception as error:  # bytes that are no pickle can make it raise anything
        raise _unreadable(path, error) from error


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(f"reading {path} needs safetensors: pip install safetensors") from error
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ValueError:
    reason = str(error).split("\n")[0] or type(error).__name__
    return ValueError(f"checkpoint {path} is truncated or no checkpoint: {reason}")
