"""Packages of the extras, asked for before torch and mmdet are imported."""

from __future__ import annotations

import importlib
from types import ModuleType


def needed(name: str, extra: str = "export") -> ModuleType:
    """A package of an extra.

    Raises:
        ImportError: In one line, if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name} is not installed: pip install {name}, or the extra [{extra}]"
        ) from error
