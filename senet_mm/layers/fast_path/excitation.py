"""SE's excitation (Eq. 3) on squeezed channels, and its gradients, in few operations.

The maps are large and these tensors small, but on a GPU a small operation takes as long as its
launch: here are as many as the layers need, all in the type of the squeezed channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..functions import Activation
from ..se_block import SEBlock
from .precision import cast_to


class Excitation(NamedTuple):
    """The layers of an SE block.

    Attributes:
        weight1: Of fc1, of shape (C_hidden, C, 1, 1).
        bias1: Of fc1; None without.
        weight2: Of fc2, of shape (C, C_hidden, 1, 1).
        bias2: Of fc2; None without.
        activation: What makes the gates.
        start: What gates are divided by; None: nothing.
    """

    weight1: Tensor
    bias1: Tensor | None
    weight2: Tensor
    bias2: Tensor | None
    activation: Activation
    start: float | None

    @classmethod
    def of(cls, tensors: Sequence[Any], activation: Activation, start: float | None) -> Excitation:
        """From the weights and biases, in the order of the attributes."""
        weight1, bias1, weight2, bias2 = tensors
        return cls(weight1, bias1, weight2, bias2, activation, start)


class Excited(NamedTuple):
    """What backward needs of a pass: z (N, C), the hidden layer, activations and gates (N, C)."""

    z: Tensor
    hidden: Tensor
    opened: Tensor
    gates: Tensor


def of_block(se: SEBlock) -> Excitation:
    """The layers of a block that :func:`choose` found to be as its class makes them."""
    fc1: Any = se.fc1
    fc2: Any = se.fc2
    start = se.activation.start if se.identity_init else None
    return Excitation(fc1.weight, fc1.bias, fc2.weight, fc2.bias, se.activation, start)


def excite(z: Tensor, layers: Excitation) -> Excited:
    """Gates (N, C) of squeezed channels z (N, C)."""
    hidden = F.linear(z, _matrix(layers.weight1, z), _like(layers.bias1, z)).relu_()
    x = F.linear(hidden, _matrix(layers.weight2, z), _like(layers.bias2, z))
    opened = gates = layers.activation.function(x)
    if layers.start is not None:
        # as SEBlock does: only equal numbers have a quotient of exactly one
        gates = opened / layers.activation.function(torch.full_like(x, layers.start))
    return Excited(z, hidden, opened, gates)


def excite_backward(
    dgates: Tensor, excited: Excited, layers: Excitation
) -> tuple[Tensor, Tensor, Tensor | None, Tensor, Tensor | None]:
    """The gradients of z, and of fc1's weight and bias and fc2's, in the types of those."""
    z, hidden, opened, _ = excited
    if layers.start is not None:
        start = torch.full((), layers.start, dtype=dgates.dtype)
        dgates = dgates / layers.activation.function(start).item()
    dx = layers.activation.backward(dgates, opened)
    dhidden = torch.ops.aten.threshold_backward(dx @ _matrix(layers.weight2, z), hidden, 0)
    dtype = layers.weight1.dtype
    dz = dhidden @ _matrix(layers.weight1, z)
    return (
        dz,
        cast_to(dhidden.t() @ z, dtype).view_as(layers.weight1),
        None if layers.bias1 is None else cast_to(dhidden.sum(0), dtype),
        cast_to(dx.t() @ hidden, dtype).view_as(layers.weight2),
        None if layers.bias2 is None else cast_to(dx.sum(0), dtype),
    )


def _matrix(weight: Tensor, z: Tensor) -> Tensor:
    return cast_to(weight.flatten(1), z.dtype)


def _like(bias: Tensor | None, z: Tensor) -> Tensor | None:
    return bias if bias is None else cast_to(bias, z.dtype)
