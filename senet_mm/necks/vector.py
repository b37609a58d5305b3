"""A map as one vector per image, for classifiers that mmpretrain's pooling neck does not suit."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn


@MODELS.register_module()
class VectorNeck(BaseModule):
    """The last map as a vector: all of it as VGG's classifier takes it, or its averages.

    Args:
        pool: Whether to average each channel; else all values follow each other, channel by
            channel.
        dropout: Share of the vector that is zeroed in training, as before the classifier of
            SENet-154 and Inception-ResNet-v2.
    """

    def __init__(self, *, pool: bool, dropout: float = 0.0) -> None:
        super().__init__()
        self.pool: nn.Module = nn.AdaptiveAvgPool2d(1) if pool else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor]:
        """Maps, the last of shape (N, C, H, W), to one tensor of shape (N, C) or (N, C*H*W)."""
        return (self.dropout(self.pool(maps[-1]).flatten(1)),)
