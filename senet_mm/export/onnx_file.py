"""Write a detector as an ONNX file that describes itself.

By torch's exporter by tracing: torch 2.11's other one stops at sizes that depend on values, such as
how many boxes are kept.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..compat.extras import needed
from ..compat.onnx import by_tracing
from ..io.files import whole_file
from .detector import PlainDetector
from .runtime import KEY

_OPSET = 17  # of 16 and above is RoIAlign as mmdet has it
_TRACED = (160, 224)  # height and width of the picture that is traced, where any may come


def write_onnx(
    detector: PlainDetector,
    path: Path,
    *,
    size: tuple[int, int] | None,
    description: Mapping[str, Any],
) -> None:
    """Trace a detector and write it whole or not at all.

    Args:
        detector: In eval mode, on the CPU.
        path: Where to.
        size: Height and width of the pictures it will take; None for any.
        description: What goes into the metadata, as JSON.

    Raises:
        ImportError: If onnx is not installed.
    """
    onnx = needed("onnx")
    picture = torch.randint(
        256, (*(size or _TRACED), 3), generator=torch.Generator().manual_seed(0)
    ).to(torch.uint8)
    axes = {name: {0: "objects"} for name in detector.outputs}
    if size is None:
        axes["image"] = {0: "height", 1: "width"}
    with whole_file(path) as unfinished:
        with warnings.catch_warnings(), torch.no_grad():
            # of the tracer, on constants that are meant to be constants
            warnings.simplefilter("ignore")
            torch.onnx.export(
                detector,
                (picture,),
                str(unfinished),
                input_names=["image"],
                output_names=list(detector.outputs),
                dynamic_axes=axes,
                opset_version=_OPSET,
                **by_tracing(),
            )
        save(onnx.load(str(unfinished)), unfinished, description)


def save(model: Any, path: Path, description: Mapping[str, Any]) -> None:
    """Check a graph and write it, with a description of it."""
    onnx = needed("onnx")
    onnx.helper.set_model_props(model, {KEY: json.dumps(description)})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
