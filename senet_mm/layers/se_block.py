"""The Squeeze-and-Excitation block (arXiv 1709.01507, section 3)."""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F


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
        bias: Whether fc1 and fc2 have biases. Released weights have them; the
            paper's ablations (section 6) were run without.
        squeeze_channels: Width of the hidden layer, instead of ``C // r``.
        init_cfg: mmengine initialization config.

    Raises:
        ValueError: If the hidden layer would have no channel.

    Example:
        >>> SEBlock(64, reduction=4)(torch.rand(2, 64, 7, 5)).shape
        torch.Size([2, 64, 7, 5])
    """

    def __init__(
        self,
        in_channels: int,
        reduction: int = 16,
        *,
        bias: bool = True,
        squeeze_channels: int | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        hidden = _hidden_channels(in_channels, reduction, squeeze_channels)
        self.fc1 = nn.Conv2d(in_channels, hidden, 1, bias=bias)
        self.fc2 = nn.Conv2d(hidden, in_channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Gate a map of shape (N, C, H, W); the result has the same shape and dtype."""
        return x * self.excite(self.squeeze(x))

    def squeeze(self, x: Tensor) -> Tensor:
        """Mean over H and W: (N, C, H, W) -> (N, C, 1, 1).

        Half-precision maps are summed in float32: a float16 sum over a large
        map overflows, a bfloat16 one loses digits.
        """
        half = x.dtype in (torch.float16, torch.bfloat16)
        return x.mean((2, 3), keepdim=True, dtype=torch.float32 if half else None).to(x.dtype)

    def excite(self, z: Tensor) -> Tensor:
        """Gates in (0, 1) from squeezed channels; the shape (N, C, 1, 1) is kept."""
        return self.fc2(F.relu(self.fc1(z))).sigmoid()


def _hidden_channels(in_channels: int, reduction: int, squeeze_channels: int | None) -> int:
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
