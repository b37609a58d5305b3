"""What the frames of a traceback tell: whose code failed, on purpose or not, and on which file."""

from __future__ import annotations

import dis
import enum
import linecache
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

_FILE_NAMES = (
    "path", "file", "filename", "file_name", "filepath", "img_path", "out_file", "ann_file",
    "config", "checkpoint", "source", "f", "fp",
)  # fmt: skip


class Owner(enum.Enum):
    """Whose code an error comes from."""

    OURS = "senet_mm"
    LIBRARY = "an installed package"
    USER = "a module of the user's"


def entries_of(error: BaseException) -> list[TracebackType]:
    """The entries of an error's traceback, the outermost first."""
    entries, entry = [], error.__traceback__
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    return entries


def owner_of(error: BaseException) -> Owner:
    """Who is to blame: the innermost code that is neither Python's nor a general library's.

    An error inside torch or json that our code led to is ours; one inside mmdet or mmengine comes
    of what the config made them do.
    """
    for entry in reversed(entries_of(error)):
        name = str(entry.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if name == "senet_mm":
            return Owner.OURS
        if name.startswith("mm"):
            return Owner.LIBRARY
        file = entry.tb_frame.f_code.co_filename
        if name not in sys.stdlib_module_names and "-packages" not in file and "<" not in file:
            return Owner.USER
    return Owner.LIBRARY


def is_deliberate(error: BaseException) -> bool:
    """Whether a ``raise`` or ``assert`` statement made the error, and no operation or C code."""
    entries = entries_of(error)
    if not entries:
        return True
    innermost = entries[-1]
    code = innermost.tb_frame.f_code.co_code
    return dis.opname[code[innermost.tb_lasti]] in ("RAISE_VARARGS", "RERAISE")


def is_in(error: BaseException, module: str) -> bool:
    """Whether the innermost frame is of a module."""
    entries = entries_of(error)
    return bool(entries) and entries[-1].tb_frame.f_globals.get("__name__") == module


def place_of(error: BaseException) -> str:
    """Module and line that failed, of the code that :func:`owner_of` blames."""
    entries = entries_of(error)
    named = [
        (str(entry.tb_frame.f_globals.get("__name__", "")), entry.tb_lineno) for entry in entries
    ]
    for name, line in reversed(named):
        if name.startswith(("mm", "senet_mm")):
            return f"{name.replace('.', '/')}.py:{line}"
    return f"{named[-1][0].replace('.', '/')}.py:{named[-1][1]}" if named else "?"


def statement_of(error: BaseException) -> str:
    """The line of source that failed."""
    entries = entries_of(error)
    if not entries:
        return ""
    innermost = entries[-1]
    return linecache.getline(innermost.tb_frame.f_code.co_filename, innermost.tb_lineno).strip()


def file_of(error: BaseException) -> str | None:
    """The file that was at work: by the error itself, else by the variables of its frames."""
    named = getattr(error, "filename", None)
    if isinstance(named, (str, os.PathLike)) and str(named):
        return str(named)
    for entry in reversed(entries_of(error)):
        variables = entry.tb_frame.f_locals
        for name in _FILE_NAMES:
            found = _as_file(variables.get(name))
            if found:
                return found
    return None


def _as_file(value: Any) -> str | None:
    value = getattr(value, "name", value) if not isinstance(value, os.PathLike) else str(value)
    if not isinstance(value, str) or len(value) > 500 or "\n" in value:
        return None
    return value if "." in Path(value).name or os.path.exists(value) else None


def variables(error: BaseException, name: str) -> Iterator[tuple[FrameType, Any]]:
    """The frames that have a variable of a name, and its value, the outermost first."""
    for entry in entries_of(error):
        found = entry.tb_frame.f_locals
        if name in found:
            yield entry.tb_frame, found[name]
