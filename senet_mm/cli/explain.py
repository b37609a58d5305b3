"""An error as one line that names the flag, the file or the config key at fault."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError

from ..io.near_names import nearest
from .frames import (
    Owner,
    entries_of,
    file_of,
    is_deliberate,
    is_in,
    owner_of,
    place_of,
    statement_of,
    variables,
)

# what bad input raises
_INPUT_ERRORS = (ValueError, TypeError, KeyError, AssertionError, OSError, ImportError)
_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|Unable to allocate|not enough memory|Cannot allocate",
    re.IGNORECASE,
)
_UNREGISTERED = re.compile(r"^'?(\S+) is not in the (.+?) registry\.")
# mmcv's builders of layers do not say which
_UNREGISTERED_LAYER = re.compile(r"^Cannot find None in registry under scope name (\S+)")
_WORKER = "Original Traceback (most recent call last)"
_WORKER_KILLED = re.compile(r"DataLoader worker \(pid(?:\(s\))? [\d, ]+\) (.*)", re.DOTALL)
_LAUNCHERS = {
    "SLURM_": "srun sets it, for --launcher slurm",
    "OMPI_": "mpirun sets it, for --launcher mpi",
    "": "torchrun sets it, for --launcher pytorch",
}


def explain(error: BaseException) -> str | None:
    """The line for an error; None where a traceback is of more use."""
    known = _machine(error) or _launcher(error)
    if known:
        return known
    message = message_of(error)
    owner = owner_of(error)
    if is_deliberate(error) and isinstance(error, _INPUT_ERRORS):
        statement = statement_of(error)
        if not str(error) and statement:
            message = f"`{statement}` failed in {place_of(error)}"
        elif owner is Owner.LIBRARY and len(message) < 20 and entries_of(error):  # a bare word
            message = f"{message} ({type(error).__name__} in {place_of(error)})"
        return _at_key(error, message)
    if owner is not Owner.LIBRARY:
        return _unreadable(error)
    leaked = f"the key {message!r} is missing" if isinstance(error, KeyError) else message
    file = file_of(error)
    told = f"{file}: {leaked}" if file and file not in leaked else leaked
    where = f"{type(error).__name__} in {place_of(error)}"
    return _at_key(error, f"{told} ({where}; SENET_MM_TRACEBACK=1 shows the traceback)")


def message_of(error: BaseException) -> str:
    """The message of an error in one line; of one re-raised from a loader's worker, its last."""
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if _WORKER in message or "Traceback (most recent call last)" in message:
        return lines[-1]
    return " ".join(lines)


def _machine(error: BaseException) -> str | None:
    """What the machine or the network refused."""
    message = message_of(error)
    if isinstance(error, URLError):
        return (
            f"a download failed ({error.reason}): for pretrained weights give a local file, "
            "--cfg-options model.backbone.init_cfg.checkpoint=PATH"
        )
    if isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(message):
        device = "the GPU" if "CUDA" in message else "the machine"
        asked = re.search(
            r"[Tt]ried to allocate [\d.]+ ?\w+|Unable to allocate [\d.]+ \w+", message
        )
        return (
            f"{device} is out of memory{f' ({asked[0]})' if asked else ''}: lower the batch "
            "(--cfg-options train_dataloader.batch_size=1, --batch) or the size of the pictures "
            "(the config's Resize, --size), or train with --amp"
        )
    killed = _WORKER_KILLED.search(message)
    if killed:
        return (
            f"a process that loads pictures ended ({_first_sentence(killed[1])}): it was killed, "
            "most often for memory or /dev/shm: lower the loader's num_workers or batch_size "
            "(--cfg-options train_dataloader.num_workers=0 "
            "train_dataloader.persistent_workers=False)"
        )
    if re.search(r"No space left on device|unexpected pos|file write failed", message) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    ):
        return f"no space left on the disk while writing {file_of(error) or 'a file'}"
    if isinstance(error, OSError) and error.errno is not None and not error.filename:
        file = file_of(error)
        return f"{error.strerror}: {file}" if file else None
    if re.search(r"CUDA error|NVIDIA driver|not compiled with CUDA|invalid device", message):
        return (
            f"the GPU cannot be used: {_first_sentence(message)} (CUDA_VISIBLE_DEVICES= before the "
            "command, or --device cpu where it has that, does without)"
        )
    if type(error).__module__.startswith("cv2"):
        failed = re.search(r"error: (.*?)(?: in function '(\w+)')?$", message)
        file = file_of(error)
        told = (
            f"OpenCV: {failed[1]}{f' in {failed[2]}' if failed[2] else ''}" if failed else message
        )
        return f"{file}: {told}" if file else told
    return None


def _launcher(error: BaseException) -> str | None:
    """A variable that the launcher of several processes should have set."""
    missing = re.search(r"environment variable (\w+) expected", str(error))
    if missing:
        name = missing[1]
    elif isinstance(error, KeyError) and is_in(error, "os") and error.args:
        name = str(error.args[0])
    else:
        return None
    setter = next(told for prefix, told in _LAUNCHERS.items() if name.startswith(prefix))
    return f"the environment variable {name} is not set: {setter}; one process needs no --launcher"


def _unreadable(error: BaseException) -> str | None:
    """What a reader of files stumbles over in a file that is not what it should be."""
    file = file_of(error)
    if file is None:
        return None
    if isinstance(error, UnicodeError):
        return f"{file} is no UTF-8 text: {error}"
    if isinstance(error, RecursionError):
        return f"{file} is nested too deeply"
    if isinstance(error, OSError):
        return f"{file}: {error.strerror or error}"
    return None


def _at_key(error: BaseException, message: str) -> str:
    """A message with the config key before it, if the error came while a part was built."""
    unregistered = _UNREGISTERED.match(message)
    if unregistered:
        message = _name_nearest(error, unregistered[1], unregistered[2])
    layer = _UNREGISTERED_LAYER.match(message)
    if layer:
        for _, kind in variables(error, "layer_type"):
            message = _name_nearest(error, str(kind), f"{layer[1]}::model")
    built = [
        str(cfg.get("type")) if hasattr(cfg, "get") else "None"
        for frame, cfg in variables(error, "cfg")
        if frame.f_globals.get("__name__") == "mmengine.registry.build_functions"
    ]
    config = next((cfg for _, cfg in variables(error, "cfg") if hasattr(cfg, "filename")), None)
    key = find_key(config, built) if config is not None and built else None
    if key is None:
        return message
    kind = built[-1].rpartition(".")[2].removesuffix("'>")
    return message if kind in message and key in message else f"{key} ({kind}): {message}"


def _name_nearest(error: BaseException, name: str, place: str) -> str:
    registry = next((value for _, value in reversed([*variables(error, "registry")])), None)
    known: set[str] = set()
    while registry is not None and hasattr(registry, "module_dict"):
        known.update(registry.module_dict)
        registry = registry.parent
    hint = nearest(name, sorted(known), number=3, cutoff=0.5)
    return f"type={name!r} is not registered in {place}{hint}"


def find_key(config: Mapping, kinds: list[str]) -> str | None:
    """The path in a config of a part, by the types from the outermost built to itself."""
    path: list[str] = []
    node: Any = config
    for kind in kinds:
        found = _path_to(node, kind)
        if found is None:
            return None
        path += found[0]
        node = found[1]
    return ".".join(path)


def _path_to(node: Any, kind: str) -> tuple[list[str], Any] | None:
    """The first part of a type at or below a node, the shallowest first."""
    level: list[tuple[list[str], Any]] = [([], node)]
    while level:
        below: list[tuple[list[str], Any]] = []
        for path, part in level:
            if isinstance(part, Mapping) or hasattr(part, "items"):
                if str(part.get("type")) == kind:
                    return path, part
                below += [([*path, str(key)], value) for key, value in part.items()]
            elif isinstance(part, (list, tuple)):
                below += [([*path, str(index)], value) for index, value in enumerate(part)]
        level = below
    return None


def _first_sentence(message: str) -> str:
    return re.split(r"(?<=\w)[.\n] ?", message.strip())[0]
