"""The file behind a checkpoint's name: here already, downloaded, or copied from a bucket."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import torch
from filelock import FileLock
from mmengine.fileio import get_local_path
from mmengine.runner import checkpoint as mmengine_checkpoint

from ...io.near_names import nearest
from .file import CorruptError, named_hash

_BUCKET = re.compile(r"(\S+:)?(s3|petrel)://")  # as mmengine knows them
# the names of OpenMMLab's and torchvision's weights that mmengine knows
_ZOOS: dict[str, Callable[[], Mapping[str, str]]] = {
    "torchvision": mmengine_checkpoint.get_torchvision_models,
    "modelzoo": mmengine_checkpoint.get_torchvision_models,
    "open-mmlab": mmengine_checkpoint.get_external_models,
    "openmmlab": mmengine_checkpoint.get_external_models,
    "mmcls": mmengine_checkpoint.get_mmcls_models,
}


def source_name(source: str | PathLike[str]) -> str:
    """A source as text.

    Raises:
        TypeError: If it is neither a name nor a path.
    """
    name = fspath(source) if isinstance(source, (str, PathLike)) else None
    if not isinstance(name, str):
        raise TypeError(
            f"weights are a {type(source).__name__}: expected the name of a file, a URL, or a name "
            "of a zoo such as timm://seresnet50.a1_in1k; a state dict is for load_state_dict"
        )
    return name


def current_name(source: str) -> str:
    """A source under its present name: OpenMMLab has renamed some, and still takes the old ones."""
    scheme, mark, name = source.partition("://")
    if scheme not in ("open-mmlab", "openmmlab"):
        return source
    return f"{scheme}{mark}{mmengine_checkpoint.get_deprecated_model_names().get(name, name)}"


def url_of(source: str) -> str | None:
    """The URL behind a name of a model zoo; a URL is its own, and a file has none.

    Raises:
        ValueError: If the zoo has no such name.
    """
    if source.startswith(("http://", "https://")):
        return source
    scheme, mark, name = current_name(source).partition("://")
    if not mark or scheme not in _ZOOS:
        return None
    urls = _ZOOS[scheme]()
    if name not in urls:
        raise ValueError(f"{source}: unknown name {name!r}{nearest(name, list(urls))}")
    return urls[name]


@contextmanager
def local_file(source: str) -> Iterator[Path]:
    """The file of a source; a download that turns out to be corrupt is removed.

    What begins with an unknown scheme is a local file, as it is to mmengine.

    Raises:
        ValueError: If a zoo has no such name, or what was downloaded is corrupt.
        ConnectionError: If a download fails.
    """
    url = url_of(source)
    if url is not None:
        path = _download(url, source)
        try:
            yield path
        except CorruptError as error:
            path.unlink(missing_ok=True)
            raise ValueError(
                f"{source}: {error}. The file was removed, so that the next try downloads it again"
            ) from error
    elif _BUCKET.match(source):
        with get_local_path(source, backend_args=dict(backend="petrel")) as copy:
            yield Path(copy)
    else:
        yield Path(source)


def state_of(source: str) -> tuple[str, int, int] | None:
    """A source with the time and size of its file; None where there is no file, or none here."""
    if _BUCKET.match(source):
        return None
    url = url_of(source)
    try:
        status = (Path(source).expanduser() if url is None else _cached_path(url)).stat()
    except OSError:
        return None
    return source, status.st_mtime_ns, status.st_size


def _cached_path(url: str) -> Path:
    """Where a download is kept. Many hubs call every file alike (``pytorch_model.bin``)."""
    name = PurePosixPath(urlparse(url).path)
    file = name.name
    if not named_hash(file):
        file = f"{name.stem}_{hashlib.sha1(url.encode()).hexdigest()[:8]}{name.suffix}"
    return Path(torch.hub.get_dir()) / "checkpoints" / file


def _download(url: str, source: str) -> Path:
    """Download a file into torch.hub's cache; one that is there already is used."""
    path = _cached_path(url)
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
