"""Read a config file; what is wrong with it is told in one line, whatever Python raised."""

from __future__ import annotations

import traceback
from pathlib import Path

from mmengine.config import Config


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
    except Exception as error:  # a config is code, and raises what it likes
        raise ValueError(f"config {name} is no valid config: {_reason(error)}") from error
    model = cfg.get("model")
    if not isinstance(model, dict):
        raise ValueError(
            f"config {name} has no model" + ("" if model is None else ": it is no dict")
        )
    if "type" not in model:
        raise ValueError(f"config {name}: its model has no type")
    return cfg


def _reason(error: Exception) -> str:
    """What an exception says, and in which file and line of the chain of configs it arose."""
    chain = _files(error)
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno}{f' of {chain[-1]}' if chain else ''})"
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
    kind = "" if isinstance(error, (NameError, OSError)) else f"{type(error).__name__}, "
    return f"{message} ({kind}{f'line {lines[-1]} of ' if lines else ''}{file})"


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
        bases = Config._get_base_files(str(file))
        paths = [Path(Config._get_cfg_path(base, str(file))[0]).resolve() for base in bases]
    except Exception:  # what is wrong with the file is told when it is read
        return []
    cycles = (_find_cycle(path, (*above, file)) for path in paths)
    return next(filter(None, cycles), [])
