"""What exporting needs, and torch's exporter by tracing in each torch."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

import torch


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


def by_tracing() -> dict[str, Any]:
    """What asks ``torch.onnx.export`` to trace, which is the only way of an older torch."""
    return {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
