"""The Squeeze-and-Excitation block (arXiv 1709.01507, section 3) and its variants (section 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, fx, nn
from torch.nn import functional as F


@fx.wrap  # a traced map has no type to compare
def _accumulator(x: Tensor) -> torch.dtype:
    # a float16 sum over a large map overflows, a bfloat16 one loses digits
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True, dtype=_accumulator(x)).to(x.dtype)


def _max(x: Tensor) -> Tensor:
    return x.amax((2, 3), keepdim=True)


def _whole(x: Tensor) -> Tensor:
    return x


def _hard_sigmoid(x: Tensor) -> Tensor:
    # F.hardsigmoid divides by a float32 six, also in float64
    return F.relu6(x + 3) / 6


@dataclass(frozen=True)
class _Gate:
    """A gate and where it is steep: ``start`` is its input under ``identity_init``."""

    function: Callable[[Tensor], Tensor]
    start: float


SQUEEZES: dict[str, Callable[[Tensor], Tensor]] = {"avg": _mean, "max": _max, "none": _whole}
GATES: dict[str, _Gate] = {
    "sigmoid": _Gate(torch.sigmoid, 0.0),
    "tanh": _Gate(torch.tanh, 0.5),
    "relu": _Gate(F.relu, 1.0),
    "hard_sigmoid": _Gate(_hard_sigmoid, 0.0),
}


@MODELS.register_module()
class SEBlock(BaseModule):
    """Scale every channel of a map by a gate computed from the whole map.

    Squeeze (Eq. 2): the mean over H and W. Excitation (Eq. 3):
    ``sigmoid(fc2(relu(fc1(z))))``. Scale (Eq. 4): the channel-wise product.
    ``fc1`` and ``fc2`` are 1x1 convolutions, so keys and shapes of a state
    dict are timm's.

    As it takes ``in_channels``, it is also a plugin of mmdet's ResNet family:
    ``plugins=[dict(cfg=dict(type='SEBlock'), position='after_conv3')]``.

    Args:
        in_channels: Channels C of the input and of the output.
        reduction: r of Eq. 3; the hidden layer has ``C // r`` channels.
        squeeze: ``avg``, ``max`` (Table 11), or ``none``: no pooling, the two
            1x1 convolutions act on the map (Table 16, NoSqueeze).
        gate: ``sigmoid``, ``tanh``, ``relu`` (Table 12) or ``hard_sigmoid``.
        bias: Whether fc1 and fc2 have biases. Released weights have them; the
            paper's ablations (section 6) were run without.
        squeeze_channels: Width of the hidden layer, instead of ``C // r``.
        identity_init: Start as the exact identity, so that a net loaded from
            plain weights computes the plain net at step 0; a new sigmoid gate
            would halve every residual branch. fc2 starts at zero and the gate
            is divided by its value there (``gate_scale``, a buffer: such a
            block's weights fit no block without it, nor the other way round).
        init_cfg: mmengine initialization config.

    Raises:
        TypeError: If ``reduction`` or ``squeeze_channels`` is no integer.
        ValueError: If an option is unknown, the hidden layer would have no
            channel, or ``identity_init`` needs a bias that is not there.

    Example:
        >>> SEBlock(64, reduction=4)(torch.rand(2, 64, 7, 5)).shape
        torch.Size([2, 64, 7, 5])
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int = 16,
        *,
        squeeze: str = "avg",
        gate: str = "sigmoid",
        bias: bool = True,
        squeeze_channels: int | None = None,
        identity_init: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.squeeze = _choose("squeeze", squeeze, SQUEEZES)
        self.pools = squeeze != "none"
        self.gate = _choose("gate", gate, GATES)
        hidden = _hidden_channels(in_channels, reduction, squeeze_channels)
        self.fc1 = nn.Conv2d(in_channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, in_channels, 1, bias=bias)
        self.identity_init = identity_init
        if identity_init:
            if self.gate.start and not bias:
                raise ValueError(f"identity_init=True with gate={gate!r} needs bias=True")
            start = self.gate.function(torch.tensor(self.gate.start))
            self.register_buffer("gate_scale", 1 / start)
            self._start_as_identity()

    def forward(self, x: Tensor) -> Tensor:
        """Gate a map of shape (N, C, H, W); the result has the same shape and dtype."""
        return x * self.excite(self.squeeze(x))

    def excite(self, z: Tensor) -> Tensor:
        """Gates from squeezed channels; the shape (N, C, 1, 1), or the map's, is kept."""
        gates = self.gate.function(_apply_1x1(self.fc2, F.relu(_apply_1x1(self.fc1, z))))
        return gates * self.gate_scale.to(gates.dtype) if self.identity_init else gates

    def init_weights(self) -> None:
        """Initialize as mmengine does; with ``identity_init``, as the identity after that."""
        super().init_weights()
        if self.identity_init:
            self._start_as_identity()

    def _start_as_identity(self) -> None:
        nn.init.zeros_(self.fc2.weight)
        if self.fc2.bias is not None:
            nn.init.constant_(self.fc2.bias, self.gate.start)


def has_hooks(module: nn.Module) -> bool:
    """Whether calling a module does more than its forward."""
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )


def _apply_1x1(conv: nn.Module, z: Tensor) -> Tensor:
    modules = isinstance(z, fx.Proxy) or type(conv) is not nn.Conv2d or has_hooks(conv)
    if modules or z.shape[2:] != (1, 1):
        return conv(z)
    # a matrix product is up to five times as fast on a CPU
    return F.linear(z.flatten(1), conv.weight.flatten(1), conv.bias)[:, :, None, None]


def _choose(name: str, value: str, accepted: dict) -> object:
    if value not in accepted:
        raise ValueError(f"{name}={value!r}: expected one of {list(accepted)}")
    return accepted[value]


def _hidden_channels(in_channels: int, reduction: int, squeeze_channels: int | None) -> int:
    for name, value in (("reduction", reduction), ("squeeze_channels", squeeze_channels or 1)):
        if not isinstance(value, int):
            raise TypeError(f"{name}={value!r}: expected an integer")
    if squeeze_channels is not None:
        if squeeze_channels < 1:
            raise ValueError(f"squeeze_channels={squeeze_channels}: expected 1 or more")
        return squeeze_channels
    if reduction < 1 or reduction > in_channels:
        raise ValueError(
            f"reduction={reduction}: expected 1 to {in_channels}, the channels of the map "
            "(more leaves no hidden channel; or set squeeze_channels)"
        )
    return in_channels // reduction
