"""Which path the end of a residual unit takes, and why no faster one."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from ..calls import is_compiling, runs_only_forward
from ..functions import SQUEEZES
from ..padding import VALID_SQUEEZES, zero_outside
from ..se_block import SEBlock
from ..se_config import SEConfig
from .launches import launching_takes_longer
from .precision import conv_dtype

_PLAIN = (nn.Parameter, Tensor)
# the compiler of torch 2.1 stops at the fields of a record
_COMPILES_RECORDS = hasattr(torch.compiler, "is_compiling")


class Tail(NamedTuple):
    """What a residual unit does from its last convolution on, as modules.

    ``relu(se(branch(h)) + shortcut)``, where ``config`` does not say otherwise.

    Attributes:
        config: How SE is put into the unit.
        branch: The last convolution, its norm and plugins, as the unit calls them.
        conv: The last convolution.
        norm: The norm after it.
        plugins: Whether something lies between norm and SE.
        se: None in a plain unit.
        relu: After the sum.
    """

    config: SEConfig
    branch: Callable[[Tensor], Tensor]
    conv: nn.Module
    norm: nn.Module
    plugins: bool
    se: nn.Module | None
    relu: nn.Module


class Path(Enum):
    """The paths, the fastest first; the value says what becomes one step."""

    CONV = "conv, norm, gate, sum"
    NORM = "norm, gate, sum"
    BATCH_NORM = "gate, sum; norm recomputed"
    GATE = "gate, sum"
    OPERATORS = "what the compiler fuses; the squeeze reads what the convolution does"
    REFERENCE = "nothing"


class Choice(NamedTuple):
    """A path, and in words why it is not a faster one (empty: it is the fastest)."""

    path: Path
    reason: str


def choose(tail: Tail, h: Tensor, shortcut: Tensor) -> Choice:
    """Choose the path of a unit; only shapes, types and modes count, no values.

    Args:
        tail: Its modules.
        h: What its last convolution reads, of shape (N, C_in, H, W).
        shortcut: Of shape (N, C_out, H, W).
    """
    if is_compiling() and not _COMPILES_RECORDS:
        return Choice(Path.REFERENCE, "torch 2.1 compiles")
    if reason := _why_reference(tail):
        return Choice(Path.REFERENCE, reason)
    # a compiler fuses by itself, and an exported graph should hold plain operators
    if is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined]
        if reason := _why_squeeze_stays(tail):
            return Choice(Path.REFERENCE, f"torch traces or compiles, and {reason}")
        return Choice(Path.OPERATORS, "torch traces or compiles")
    if reason := _why_no_step(h, shortcut):
        return Choice(Path.REFERENCE, reason)
    if launching_takes_longer(h, shortcut):
        return Choice(
            Path.REFERENCE, "a small map: a GPU waits longer for launches than for passes"
        )
    if reason := _why_no_norm(tail) or _why_no_values(tail, shortcut):
        return Choice(Path.GATE, reason)
    if tail.norm.training:
        return Choice(Path.BATCH_NORM, "the norm takes the statistics of each batch")
    if reason := why_excite_stays(tail.se):
        return Choice(Path.GATE, reason)
    if reason := _why_not_pointwise(tail.conv) or _why_no_conv(h):
        return Choice(Path.NORM, reason)
    return Choice(Path.CONV, "")


def _why_reference(tail: Tail) -> str:
    config, se = tail.config, tail.se
    if se is None:
        return "there is no SE"
    if not config.fused:
        return "fused=False"
    if config.placement != "standard":
        return f"placement={config.placement!r}"
    if config.branch_relu:
        return "branch_relu=True"
    if type(se) is not SEBlock:
        return f"SE is a {type(se).__name__}: expected SEBlock"
    if not se.pools:
        return "squeeze='none': gates are maps"
    if type(tail.relu) is not nn.ReLU:
        return f"the activation is {type(tail.relu).__name__}"
    if not (runs_only_forward(se) and runs_only_forward(tail.relu)):
        return "SE or the activation is hooked or replaced"
    return ""


def _why_squeeze_stays(tail: Tail) -> str:
    """Why the squeeze cannot read what the last convolution does, in plain operators."""
    if reason := _why_no_norm(tail) or _why_not_pointwise(tail.conv):
        return reason
    return "the norm takes the statistics of each batch" if tail.norm.training else ""


def _why_no_step(h: Tensor, shortcut: Tensor) -> str:
    """Why no function of ours takes these maps."""
    for x in (h, shortcut):
        if type(x) is not Tensor or x.is_meta:
            return f"a map is a {'meta tensor' if x.is_meta else type(x).__name__}"
        if not x.numel():
            return "a map is empty"
    if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
        return "a transform of torch.func or forward differentiation is at work"
    return ""


def _why_no_norm(tail: Tail) -> str:
    conv: Any = tail.conv
    norm: Any = tail.norm
    se: Any = tail.se
    if type(norm).forward not in (nn.BatchNorm2d.forward, nn.SyncBatchNorm.forward):
        return f"the norm is {type(norm).__name__}"
    if norm.training and type(norm).forward is nn.SyncBatchNorm.forward:
        return "SyncBN in training talks to other processes"
    if not norm.affine or norm.running_mean is None or not norm.track_running_stats:
        return "the norm has no weights or no running statistics"
    if norm.momentum is None or (norm.training and norm.num_batches_tracked is None):
        return "the norm counts its batches in another way"
    if tail.plugins:
        return "plugins lie between norm and SE"
    if type(conv) is not nn.Conv2d:
        return f"the convolution is {type(conv).__name__}"
    if conv.bias is not None:
        return "the convolution has a bias"
    if se.squeeze not in (SQUEEZES["avg"], VALID_SQUEEZES["avg"]):
        return "the squeeze is no mean"
    if not (runs_only_forward(conv, besides=zero_outside) and runs_only_forward(norm)):
        return "convolution or norm is hooked or replaced"
    return ""


def why_excite_stays(se: Any) -> str:
    """Why no function of ours computes the gates."""
    if "excite" in vars(se):
        return "somebody has replaced SE's excite"
    for fc in (se.fc1, se.fc2):
        if type(fc) is not nn.Conv2d or not runs_only_forward(fc):
            return "a layer of SE is hooked or replaced"
        if type(fc.weight) not in _PLAIN or type(fc.bias) not in (*_PLAIN, type(None)):
            return "weights of SE are no plain tensors"
    return ""


def _why_no_values(tail: Tail, shortcut: Tensor) -> str:
    conv: Any = tail.conv
    norm: Any = tail.norm
    if norm.training and shortcut.numel() == shortcut.shape[1]:
        return "there is one value per channel, which batch norm refuses"
    if any(type(x) not in _PLAIN for x in (conv.weight, norm.weight, norm.bias)):
        return "weights of convolution or norm are no plain tensors"
    return ""


def _why_not_pointwise(conv: Any) -> str:
    if conv.kernel_size != (1, 1) or conv.groups != 1:
        return f"the convolution is {conv.kernel_size} with groups={conv.groups}"
    if conv.stride != (1, 1) or conv.padding not in ((0, 0), "valid", "same"):
        return f"the convolution has stride={conv.stride} and padding={conv.padding}"
    return ""


def _why_no_conv(h: Tensor) -> str:
    # per-image weights pay where the map is the larger of the two
    if h.shape[2] * h.shape[3] <= 2 * h.shape[1]:
        return "the map is no larger than twice its channels"
    # a GPU's convolutions round to TF32, its matrix products do not: they take six times as long
    if h.is_cuda and torch.is_grad_enabled() and conv_dtype(h) == torch.float32:
        return "a GPU's products of float32 matrices take longer than its convolutions"
    return ""
