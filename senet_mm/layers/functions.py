"""What an SE block may squeeze with, and the activations that make its gates (section 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, fx
from torch.nn import functional as F

aten = torch.ops.aten


def accumulator(x: Tensor) -> torch.dtype:
    """The type of sums over x: at least float32."""
    # a float16 sum over a large map overflows, a bfloat16 one loses digits
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


def mean(x: Tensor) -> Tensor:
    """The mean over positions (Eq. 2), accumulated at least in float32: (N, C, 1, 1)."""
    if isinstance(x, fx.Proxy):  # it has no type, and quantization looks for the plain operator
        return x.mean((2, 3), keepdim=True)
    if torch.jit.is_tracing():  # type: ignore[attr-defined]
        # to ONNX's GlobalAveragePool, which runtimes keep in the layout of their convolutions
        return F.adaptive_avg_pool2d(x, 1)
    if x.is_cuda:  # sums in float32 by itself, and converts without another launch
        return x.mean((2, 3), keepdim=True)
    return x.mean((2, 3), keepdim=True, dtype=accumulator(x)).to(x.dtype)


def _max(x: Tensor) -> Tensor:
    return x.amax((2, 3), keepdim=True)


def _whole(x: Tensor) -> Tensor:
    return x


def _hard_sigmoid(x: Tensor) -> Tensor:
    # F.hardsigmoid divides by a float32 six, also in float64
    return F.relu6(x + 3) / 6


# functions of ours, as modules that hold an operator of torch cannot be pickled
def _sigmoid_backward(grad: Tensor, out: Tensor) -> Tensor:
    return aten.sigmoid_backward(grad, out)


def _tanh_backward(grad: Tensor, out: Tensor) -> Tensor:
    return aten.tanh_backward(grad, out)


def _relu_backward(grad: Tensor, out: Tensor) -> Tensor:
    return aten.threshold_backward(grad, out, 0)


def _hard_sigmoid_backward(grad: Tensor, out: Tensor) -> Tensor:
    return grad * ((out > 0) & (out < 1)) / 6


@dataclass(frozen=True)
class Activation:
    """What makes gates of the excitation's output.

    Attributes:
        function: Applied element by element.
        backward: The gradient of its input, from that of its output and the output.
        start: Where it is steep: its input under ``identity_init``.
    """

    function: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]
    start: float


SQUEEZES: dict[str, Callable[[Tensor], Tensor]] = {"avg": mean, "max": _max, "none": _whole}
ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(torch.sigmoid, _sigmoid_backward, 0.0),
    "tanh": Activation(torch.tanh, _tanh_backward, 0.5),
    "relu": Activation(F.relu, _relu_backward, 1.0),
    "hard_sigmoid": Activation(_hard_sigmoid, _hard_sigmoid_backward, 0.0),
}
