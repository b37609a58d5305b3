"""Inference of an exported net by onnxruntime."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..compat.extras import needed
from ..compat.onnx import by_tracing

_OPSET = 17


class _Net(nn.Module):
    """A function of a net as a module, which exporters take."""

    def __init__(self, forward: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.net = getattr(forward, "__self__", forward)  # its parameters are then the module's
        self._forward = forward

    def forward(self, x: Tensor) -> Any:
        return self._forward(x)


def onnx_pass(forward: Callable[[Tensor], Any], images: Tensor) -> Callable[[], Any]:
    """One pass of a net for images of this number and size, with as many threads as torch has.

    Args:
        forward: A net, or a method of one, in eval mode on the CPU.
        images: Of shape (N, 3, H, W).

    Returns:
        What runs the pass and gives its maps, as arrays.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
    """
    needed("onnx")
    onnxruntime: Any = needed("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the tracer, on constants that are constants
        path = str(Path(folder) / "net.onnx")
        torch.onnx.export(
            _Net(forward).eval(), (images,), path, opset_version=_OPSET, **by_tracing()
        )
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images.contiguous().numpy()}
    return lambda: session.run(None, feed)
