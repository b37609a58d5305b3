"""The Squeeze-and-Excitation block (arXiv 1709.01507, section 3) and its variants (section 6)."""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, fx, nn
from torch.nn import functional as F

from .calls import is_compiling, runs_only_forward
from .functions import ACTIVATIONS, SQUEEZES
from .padding import VALID_SQUEEZES
from .se_config import SEConfig


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
        reduction, squeeze, gate, bias, squeeze_channels: See :class:`senet_mm.layers.SEConfig`.
        padding: ``ignore`` or ``mask``, see there; ``exact`` is its network's.
        identity_init: Start as the exact identity, so that a net loaded from
            plain weights computes the plain net at step 0; a new sigmoid gate
            would halve every residual branch. fc2 starts at zero and the gate
            is divided by its value there. Such a block's weights fit no block
            without it, nor the other way round: they have ``gate_scale``, a
            buffer with the inverse of that value.
        init_cfg: mmengine initialization config.

    Raises:
        TypeError, ValueError: If an option is not accepted, or the hidden layer
            would have no channel.

    Example:
        >>> SEBlock(64, reduction=4)(torch.rand(2, 64, 7, 5)).shape
        torch.Size([2, 64, 7, 5])
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int = SEConfig.reduction,
        *,
        squeeze: str = SEConfig.squeeze,
        gate: str = SEConfig.gate,
        bias: bool = SEConfig.bias,
        squeeze_channels: int | None = SEConfig.squeeze_channels,
        identity_init: bool = SEConfig.identity_init,
        padding: str = SEConfig.padding,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.config = SEConfig(
            reduction=reduction,
            squeeze=squeeze,
            gate=gate,
            bias=bias,
            squeeze_channels=squeeze_channels,
            identity_init=identity_init,
            padding=padding,
        )
        self.config.check_alone()
        self.minds_padding = padding == "mask"
        self.squeeze = (VALID_SQUEEZES if self.minds_padding else SQUEEZES)[squeeze]
        self.pools = squeeze != "none"
        self.activation = ACTIVATIONS[gate]
        hidden = self.config.hidden_channels(in_channels)
        self.fc1 = nn.Conv2d(in_channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, in_channels, 1, bias=bias)
        self.identity_init = identity_init
        if identity_init:
            start = self.activation.function(torch.tensor(self.activation.start))
            self.register_buffer("gate_scale", 1 / start)
            self._start_as_identity()

    def forward(self, x: Tensor) -> Tensor:
        """Gate a map of shape (N, C, H, W); the result has the same shape and dtype."""
        return x * self.excite(self.squeeze(x))

    def excite(self, z: Tensor) -> Tensor:
        """Gates from squeezed channels; the shape (N, C, 1, 1), or the map's, is kept."""
        activation = self.activation
        x = _apply_1x1(self.fc2, F.relu(_apply_1x1(self.fc1, z)))
        gates = activation.function(x)
        if self.identity_init:
            # not by the buffer: only equal numbers have a quotient of exactly one in every type
            gates = gates / activation.function(torch.full_like(x, activation.start))
        return gates

    def init_weights(self) -> None:
        """Initialize as mmengine does; with ``identity_init``, as the identity after that."""
        super().init_weights()
        if self.identity_init:
            self._start_as_identity()

    def _start_as_identity(self) -> None:
        nn.init.zeros_(self.fc2.weight)
        if self.fc2.bias is not None:
            nn.init.constant_(self.fc2.bias, self.activation.start)


def build_se(config: SEConfig, in_channels: int) -> SEBlock:
    """The SE block that a config asks for, for a map of so many channels.

    Raises:
        ValueError: If its hidden layer would have no channel.
    """
    return SEBlock(in_channels, **config.of_block())


def _apply_1x1(conv: nn.Conv2d, z: Tensor) -> Tensor:
    # a compiler sees the shapes itself
    if isinstance(z, fx.Proxy) or is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined]
        return conv(z)
    plain = type(conv) is nn.Conv2d and runs_only_forward(conv)
    if z.is_cuda or z.shape[2:] != (1, 1) or not plain:
        return conv(z)  # on a GPU the fewest launches
    # a matrix product is up to five times as fast on a CPU
    return F.linear(z.flatten(1), conv.weight.flatten(1), conv.bias)[:, :, None, None]
