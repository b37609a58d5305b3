"""Torch's exporter by tracing in each torch."""

from __future__ import annotations

import inspect
from typing import Any

import torch


def by_tracing() -> dict[str, Any]:
    """What asks ``torch.onnx.export`` to trace, which is the only way of an older torch."""
    return {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
