"""Read a config file; what is wrong with it is told in one line, whatever Python raised."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from torch import nn
from torch.utils.data import DataLoader, Dataset

from ..compat.packaged_configs import MissingPackageError
from .task import Task

_LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def read_config_file(file: str | Path, name: str) -> Config:
    """Read a config file, which may inherit from others, and see that it has a model.

    Args:
        file: The file.
        name: What the user called it.

    Raises:
        ValueError: If it cannot be read; names the file and the line at fault.
    """
    cycle = _find_cycle(Path(file).resolve())
    if cycle:
        names = " -> ".join(path.name for path in cycle)
        raise ValueError(f"config {name}: its _base_ files name one another, {names}")
    try:
        cfg = Config.fromfile(file)
    except MissingPackageError:
        raise
    except Exception as error:  # a config is code, and raises what it likes
        raise ValueError(f"config {name} is no valid config: {_reason(error)}") from error
    if cfg.get("model") is None:
        raise ValueError(f"config {name} has no model")
    try:
        check_shape(cfg)
    except ValueError as error:
        raise ValueError(f"config {name}: {error}") from error
    return cfg


def check_shape(cfg: Mapping[str, Any]) -> None:
    """Check that the parts of a config that are looked into are settings, and name their type.

    A config may be read for its data alone, so that a model without a type is left to the run.

    Raises:
        ValueError: Naming the part and what it is.
    """
    parts = {"model": cfg.get("model"), "model.backbone": (_of(cfg, "model") or {}).get("backbone")}
    for name in _LOADERS:
        parts[f"{name}.dataset"] = (_of(cfg, name) or {}).get("dataset")
    for place, hook in enumerate(_list_of(cfg, "custom_hooks")):
        parts[f"custom_hooks.{place}"] = hook
    _of(cfg, "default_hooks")
    for path, part in parts.items():
        if part is None:
            continue
        if not isinstance(part, (Mapping, Hook, Dataset, nn.Module)):
            raise ValueError(f"{path}={part!r}: expected a dict of settings")
        if isinstance(part, Mapping) and not part.get("type") and path != "model":
            raise ValueError(f"{path} has no type")


def preprocessor_of(cfg: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a config's data preprocessor; none where it has none."""
    own = (cfg.get("model") or {}).get("data_preprocessor")
    # mmengine gives the model that at the top where it has none
    return own or cfg.get("data_preprocessor") or {}


def _of(cfg: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    part = cfg.get(key)
    if part is None or isinstance(part, Mapping):
        return part
    if isinstance(part, (DataLoader, nn.Module)):  # built already
        return None
    raise ValueError(f"{key}={part!r}: expected a dict of settings")


def _list_of(cfg: Mapping[str, Any], key: str) -> Sequence[Any]:
    part = cfg.get(key)
    if part is None or isinstance(part, (list, tuple)):
        return part or ()
    raise ValueError(f"{key}={part!r}: expected a list of dicts with a type")


def _reason(error: Exception) -> str:
    """What an exception says, and in which file and line of the chain of configs it arose."""
    chain = _files(error)
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno}{f' of {chain[-1]}' if chain else ''})"
    if isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):
        return _failed_import(error.__cause__)
    if not chain:
        return message
    file = chain[-1]
    if isinstance(error, FileNotFoundError):
        named = f", which {chain[-2]} names as _base_" if len(chain) > 1 else ""
        return f"{message}{named}"
    lines = [
        entry.lineno
        for entry in traceback.extract_tb(error.__traceback__)
        if entry.filename == file
    ]
    if isinstance(error, AttributeError) and not lines:
        return f"it holds no keys ({file})"
    if isinstance(error, ModuleNotFoundError):  # of a package that it inherits from
        absent = [task.installation for task in Task if message.startswith(f"{task.value} is not")]
        message = "; ".join([message, *absent])
    kind = "" if isinstance(error, (NameError, OSError)) else f"{type(error).__name__}, "
    return f"{message} ({kind}{f'line {lines[-1]} of ' if lines else ''}{file})"


def _failed_import(error: ImportError) -> str:
    """The line for a module of ``custom_imports``; mmengine lists all of ``sys.path``."""
    told, reason = (" ".join(str(one).split()) for one in (error, error.__context__ or error))
    return (
        f"custom_imports: {told}: {reason}; a module of your own is found where PYTHONPATH names "
        "its folder"
    )


def _files(error: Exception) -> list[str]:
    """The config files that were being read, the inheriting ones first."""
    files = [
        str(frame.f_locals["filename"])
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name == "_file2dict" and "filename" in frame.f_locals
    ]
    return list(dict.fromkeys(files))  # a frame that raises again is there twice


def _find_cycle(file: Path, above: tuple[Path, ...] = ()) -> list[Path]:
    """The files of a circle of ``_base_``, in which mmengine would run for seconds; else none."""
    if file in above:
        return [*above[above.index(file) :], file]
    try:
        # a package's configs (mmdet::NAME) do not name the user's
        bases = [base for base in Config._get_base_files(str(file)) if "::" not in base]
        paths = [Path(Config._get_cfg_path(base, str(file))[0]).resolve() for base in bases]
    except Exception:  # what is wrong with the file is told when it is read
        return []
    cycles = (_find_cycle(path, (*above, file)) for path in paths)
    return next(filter(None, cycles), [])
