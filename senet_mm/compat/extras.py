"""Packages of the extra ``export``, asked for before torch and mmdet are imported."""

from __future__ import annotations

import importlib
from types import ModuleType


def needed(name: str) -> ModuleType:
    """A package of the extra ``export``.

    Raises:
        ImportError: In one line, if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"{name} is not installed: pip install {name}, or the extra [export]"
        ) from error
