"""Read a checkpoint file without running anything in it, and say what is wrong with it."""

from __future__ import annotations

import hashlib
import pickle
import re
import shlex
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from . import safe_pickle

# OpenMMLab and torch.hub end a file's name in the first digits of its sha256
_NAMED_HASH = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
# what a source may begin with; anything else is a local file
SCHEMES = (
    *("timm://", "hf://", "torchvision://", "modelzoo://"),
    *("open-mmlab://", "openmmlab://", "mmcls://"),
    *("http://", "https://", "s3://", "petrel://"),
)
_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt", ".safetensors", ".tar", ".th", ".pkl")
_NOT_WEIGHTS = {
    b"<": "a web page (HTML), not weights: the download went wrong",
    b"version https://git-lfs": "a git-lfs pointer, not weights: run `git lfs pull`",
}


class CorruptError(ValueError):
    """A file is not, or no longer, what was meant to be downloaded."""


def read_file(path: str | Path, *, unsafe: bool = False) -> dict[str, Any]:
    """Read a checkpoint onto the CPU: torch's formats, or safetensors.

    Of what is neither tensors nor plain data nothing is kept, see
    :mod:`senet_mm.weights.read.safe_pickle`.

    Args:
        path: The file.
        unsafe: Let a pickle make any Python object, which can run code.

    Returns:
        What the file holds, a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        CorruptError: If it is empty, truncated, no checkpoint, or differs from
            its checksums or from the hash in its name.
        ValueError: If it is of a form that is not read, or needs ``unsafe``.
        ImportError: If it is a safetensors file and safetensors is missing.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    with path.open("rb") as file:
        start = file.read(256)
    if not start:
        raise CorruptError(f"checkpoint {path} is empty")
    for mark, what in _NOT_WEIGHTS.items():
        if start.lstrip().startswith(mark):
            raise CorruptError(f"checkpoint {path} is {what}")
    _check_named_hash(path)
    safetensors = path.suffix == ".safetensors"
    content = _read_safetensors(path) if safetensors else _read_torch(path, unsafe)
    if not isinstance(content, Mapping):
        raise ValueError(f"{path} is no checkpoint: it holds a {type(content).__name__}")
    return dict(content)


def _missing(path: Path) -> str:
    """The line for a file that is not there; a folder, or a name without its scheme, may be."""
    if path.is_dir():
        files = (one for one in path.iterdir() if one.is_file() and one.suffix in _SUFFIXES)
        inside = sorted(one.name for one in files)
        listed = f", such as {inside[-1]}" if inside else ""
        return f"checkpoint {path} is a folder: expected a file{listed}"
    is_name = path.suffix not in _SUFFIXES and len(path.parts) == 1
    known = is_name or ":/" in str(path)
    hint = f"; known schemes are {', '.join(SCHEMES)}" if known else ""
    return f"checkpoint {path} not found{hint}"


def sha256(path: str | Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def named_hash(name: str) -> str | None:
    """The start of a sha256 that a file's name ends in, if it does."""
    match = _NAMED_HASH.search(name)
    # eight digits alone may as well be a date
    return None if match is None or match.group(1).isdigit() else match.group(1)


def _check_named_hash(path: Path) -> None:
    named = named_hash(path.name)
    if named is None:
        return
    digest = sha256(path)
    if not digest.startswith(named):
        raise CorruptError(
            f"checkpoint {path} is corrupt or truncated: its sha256 starts with {digest[:8]}, its "
            f"name says {named}. Download it again (or, if it was changed on purpose, "
            "rename it without that suffix)"
        )


def _read_torch(path: Path, unsafe: bool) -> Any:
    try:
        _check_archive(path)
        return torch.load(
            path,
            map_location="cpu",
            pickle_module=pickle if unsafe else safe_pickle,
            weights_only=False,
        )
    except CorruptError:
        raise
    except safe_pickle.UnsupportedError as error:
        raise ValueError(f"checkpoint {path} cannot be read: {error}") from error
    except safe_pickle.UnsafePickleError as error:
        raise ValueError(
            f"checkpoint {path} holds Python objects beyond tensors and plain data ({error}); to "
            "read them can run code. If you trust the file, convert it once: "
            f"senet-mm convert {shlex.quote(str(path))} OUT.pth --unsafe"
        ) from error
    except Exception as error:  # bytes that are no pickle can make it raise anything
        raise _unreadable(path, error) from error


def _check_archive(path: Path) -> None:
    """Refuse archives that torch would run, and those whose bytes have changed."""
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    if not zipped:
        if tarfile.is_tarfile(path):
            raise safe_pickle.UnsupportedError(
                "it is a tar archive, as torch wrote before version 0.2: save it anew"
            )
        return
    # torch's own reader: a zip file can show each reader another table of contents
    records = torch._C.PyTorchFileReader(str(path)).get_all_records()
    if any(name.endswith("constants.pkl") for name in records):
        raise safe_pickle.UnsupportedError("it is a TorchScript archive, not a checkpoint")
    with zipfile.ZipFile(path) as archive:
        changed = archive.testzip()
    if changed is not None:
        raise CorruptError(f"checkpoint {path} is corrupt: {changed} fails its checksum")


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ImportError(f"reading {path} needs safetensors: pip install safetensors") from error
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> CorruptError:
    reason = str(error).split("\n")[0] or type(error).__name__
    return CorruptError(f"checkpoint {path} is truncated or no checkpoint: {reason}")
