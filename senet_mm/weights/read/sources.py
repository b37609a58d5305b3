"""Where checkpoints come from: timm, the schemes of mmengine, URLs and files."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlparse

import torch
from mmengine.dist import barrier, get_rank
from mmengine.fileio import get_local_path
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from ..recognize.families import recognize
from ..recognize.key_maps import to_ours
from ..recognize.normalization import Preprocessing, rgb
from .file import CorruptError, named_hash, read_file

TIMM = "timm://"
_BUCKET = re.compile(r"(\S+:)?(s3|petrel)://")  # as mmengine knows them
# the nets of timm that mmdet's ResNet family and ours compute, by architecture
_TIMM_NETS = re.compile(
    r"(legacy_)?((se)?resnet(18|34|50|101|152)[cds]?|(se)?resnext(50|101|152)d?_\d+x\d+d|senet154)"
)
# where training codes keep the weights, the better ones first
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Checkpoint:
    """Weights as they came.

    Attributes:
        source: The name that the user gave.
        state_dict: The tensors, under the names of their family.
        meta: What a mmengine checkpoint says of itself.
        preprocessing: How images must be fed, where the source tells.
    """

    source: str
    state_dict: dict[str, Tensor]
    meta: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Preprocessing | None = None


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
    if source.startswith(TIMM):
        return _fetch_timm(source)
    url = _url_of(source)
    if url is not None:
        content = _read_download(_download(url, source), source, unsafe)
    elif _BUCKET.match(source):
        with get_local_path(source, backend_args=dict(backend="petrel")) as copy:
            content = read_file(copy, unsafe=unsafe)
    else:  # also of an unknown scheme, as mmengine does
        content = read_file(source, unsafe=unsafe)
    return unwrap(source, content)


def unwrap(source: str, content: Mapping[str, Any]) -> Checkpoint:
    """Find the tensors in what a file holds.

    EMA weights are preferred. Prefixes of wrappers (``module.`` of DDP,
    ``_orig_mod.`` of torch.compile) go, and the count of torch's averaging.

    Raises:
        ValueError: If it holds no tensors.
    """
    wrapped = next(
        (content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None
    )
    tensors = {
        re.sub(r"^((module|_orig_mod)\.)+", "", str(key)): value
        for key, value in (content if wrapped is None else wrapped).items()
        if isinstance(value, Tensor) and key != "n_averaged"
    }
    if not tensors:
        raise ValueError(f"checkpoint {source} holds no tensors, only {list(content)[:5]}")
    meta = content.get("meta")
    return Checkpoint(source, tensors, meta if isinstance(meta, Mapping) else {})


@CheckpointLoader.register_scheme(prefixes=TIMM)
def load_from_timm(filename: str, map_location: str | None = None) -> dict[str, Any]:
    """Load ``timm://NAME`` wherever mmengine loads a checkpoint, with our names of the tensors."""
    checkpoint = fetch(filename)
    rules = recognize(checkpoint.state_dict, filename).rules
    return {"state_dict": {to_ours(key, rules): v for key, v in checkpoint.state_dict.items()}}


def timm_preprocessing(source: str) -> Preprocessing:
    """How timm says that images are fed to ``timm://NAME``; needs no network."""
    cfg = _import_timm().get_pretrained_cfg(_timm_name(source))
    return rgb(cfg.mean, cfg.std)


def _fetch_timm(source: str) -> Checkpoint:
    timm, name = _import_timm(), _timm_name(source)
    # timm takes minutes to give up; it retries each of its places five times
    try:
        model = _rank_zero_first(lambda: timm.create_model(name, pretrained=True))
    except Exception as error:  # whatever its backends raise without a network
        cfg = timm.get_pretrained_cfg(name)
        place = f"https://huggingface.co/{cfg.hf_hub_id}" if cfg.hf_hub_id else cfg.url
        raise ConnectionError(
            f"{source} could not be downloaded ({_first_line(error)}). Fetch it from {place} where "
            "there is a network, and give the file: init_cfg.checkpoint=PATH"
        ) from error
    return Checkpoint(source, model.state_dict(), preprocessing=timm_preprocessing(source))


def _import_timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise ImportError(
            "timm:// weights need timm: pip install timm, or pip install 'senet_mm[timm]'"
        ) from error
    return timm


def _timm_name(source: str) -> str:
    """The name behind ``timm://``, if timm has weights of it for a net that we can build."""
    timm = _import_timm()
    name = source[len(TIMM) :]
    known = [known for known in timm.list_pretrained() if _TIMM_NETS.fullmatch(known.split(".")[0])]
    if name in known:
        return name
    if any(name == full.split(".")[0] for full in known):
        return name  # timm takes the default of several trainings
    if timm.is_model(name.split(".")[0]) and not _TIMM_NETS.fullmatch(name.split(".")[0]):
        raise ValueError(
            f"{source}: {name} is of timm, but no net of mmdet's ResNet family or of senet_mm "
            f"computes it. Accepted are resnet, resnext, seresnet, seresnext, senet154 and their "
            f"legacy_ forms{_nearest(name, known)}"
        )
    raise ValueError(f"{source}: timm has no weights named {name!r}{_nearest(name, known)}")


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.4)
    return f"; the nearest are {', '.join(near)}" if near else ""


def _url_of(source: str) -> str | None:
    """The URL behind a name of mmengine's model zoos; a URL is its own."""
    zoos: dict[str, Callable[[], Mapping[str, str]]] = {
        "torchvision://": mmengine_checkpoint.get_torchvision_models,
        "modelzoo://": mmengine_checkpoint.get_torchvision_models,
        "open-mmlab://": mmengine_checkpoint.get_external_models,
        "openmmlab://": mmengine_checkpoint.get_external_models,
        "mmcls://": mmengine_checkpoint.get_mmcls_models,
    }
    if source.startswith(("http://", "https://")):
        return source
    for scheme, models in zoos.items():
        if not source.startswith(scheme):
            continue
        name, urls = source[len(scheme) :], models()
        name = mmengine_checkpoint.get_deprecated_model_names().get(name, name)
        if name not in urls:
            raise ValueError(f"{source}: unknown name {name!r}{_nearest(name, list(urls))}")
        return urls[name]
    return None


def _download(url: str, source: str) -> Path:
    """Download into torch.hub's cache; a file that is there already is used."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / _cached_name(url)

    def get() -> None:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path))

    try:
        _rank_zero_first(get)
    except OSError as error:
        raise ConnectionError(
            f"{source} could not be downloaded ({_first_line(error)}). Fetch {url} where there is "
            f"a network, and give the file: init_cfg.checkpoint=PATH, or put it at {path}"
        ) from error
    return path


def _cached_name(url: str) -> str:
    """A file name for a URL; many hubs call every file alike (``pytorch_model.bin``)."""
    name = PurePosixPath(urlparse(url).path)
    if named_hash(name.name):
        return name.name
    return f"{name.stem}_{hashlib.sha1(url.encode()).hexdigest()[:8]}{name.suffix}"


def _read_download(path: Path, source: str, unsafe: bool) -> dict[str, Any]:
    """Read a downloaded file, and remove it if it is not what was asked for."""
    try:
        return read_file(path, unsafe=unsafe)
    except CorruptError as error:
        path.unlink(missing_ok=True)
        raise ValueError(
            f"{source}: {error}. The file was removed, so that the next try downloads it again"
        ) from error


def _rank_zero_first(get: Callable[[], _Result]) -> _Result:
    """Let one process download, and the others find it in the cache."""
    if get_rank() == 0:
        result = get()
        barrier()
    else:
        barrier()
        result = get()
    return result


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0] or type(error).__name__
