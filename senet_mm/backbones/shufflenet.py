"""ShuffleNet (arXiv 1707.01083), of the paper's Table 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleList, Sequential
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .staged import StagedBackbone

_UNITS = (4, 8, 4)
# channels of the three stages by groups (Table 1 there)
_CHANNELS = {
    1: (144, 288, 576),
    2: (200, 400, 800),
    3: (240, 480, 960),
    4: (272, 544, 1088),
    8: (384, 768, 1536),
}
_STEM = 24


def shuffle(x: Tensor, groups: int) -> Tensor:
    """Take the channels of a map (N, C, H, W) from each group in turn."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class ShuffleUnit(BaseModule):
    """A residual unit of grouped 1x1 convolutions, with a shuffle of channels between them.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output. Where they are as many, the branch
            is added to the input; else it has stride 2 and stands behind the pooled input.
        groups: Groups of the 1x1 convolutions.
        first_groups: Groups of the first of them.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing the unit twice.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        groups: int,
        first_groups: int,
        norm_cfg: Mapping[str, Any],
        with_cp: bool,
    ) -> None:
        super().__init__()
        self.groups = groups
        self.with_cp = with_cp
        self.adds = in_channels == out_channels
        width = out_channels // 4
        branch = out_channels if self.adds else out_channels - in_channels
        self.g_conv_1x1_compress = ConvModule(
            in_channels, width, 1, groups=first_groups, norm_cfg=norm_cfg
        )
        self.depthwise = ConvModule(
            width,
            width,
            3,
            stride=1 if self.adds else 2,
            padding=1,
            groups=width,
            norm_cfg=norm_cfg,
            act_cfg=None,
        )
        self.g_conv_1x1_expand = ConvModule(
            width, branch, 1, groups=groups, norm_cfg=norm_cfg, act_cfg=None
        )
        self.avgpool = nn.AvgPool2d(3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """A map of shape (N, C, H, W) to one of the output's channels, halved by stride 2."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._forward, x, use_reentrant=False)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        branch = shuffle(self.g_conv_1x1_compress(x), self.groups)
        branch = self.g_conv_1x1_expand(self.depthwise(branch))
        if self.adds:
            return self.relu(x + branch)
        return self.relu(torch.cat([self.avgpool(x), branch], dim=1))


@MODELS.register_module()
class ShuffleNetV1(StagedBackbone):
    r"""ShuffleNet 1x without its classifier.

    Channels are shuffled before the depthwise convolution, as in the paper;
    mmpretrain's net of that name does so after it. The names of its layers are
    mmpretrain's, but for ``depthwise``: filters of the one order do not fit the
    other, and :func:`senet_mm.weights.load_weights` reorders mmpretrain's.

    C2 is the stem, C3 to C5 are the three stages. For SE, on each unit's branch
    before the sum or concatenation, the units of ``SEBackbone`` are
    ``r"layers\.\d\.\d\.g_conv_1x1_expand"``.

    Args:
        groups: Groups of the 1x1 convolutions: 1, 2, 3, 4 or 8. The channels of
            the stages depend on it, so that the cost does not.
        out_indices, frozen_stages, norm_eval: As for mmdet's ``ResNet``; see
            :class:`senet_mm.backbones.staged.StagedBackbone`.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each unit twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        *,
        groups: int = 3,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        frozen_stages: int = -1,
        norm_cfg: Mapping[str, Any] = dict(type="BN"),
        norm_eval: bool = False,
        with_cp: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            norm_eval=norm_eval,
            init_cfg=init_cfg,
        )
        if groups not in _CHANNELS:
            raise ValueError(f"groups={groups!r} of ShuffleNetV1: expected one of {[*_CHANNELS]}")
        self.conv1 = ConvModule(3, _STEM, 3, stride=2, padding=1, norm_cfg=norm_cfg)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layers = ModuleList()
        channels = _STEM
        for wide, num_units in zip(_CHANNELS[groups], _UNITS, strict=True):
            units = []
            for _ in range(num_units):
                # 24 channels are too few for groups
                first_groups = 1 if channels == _STEM else groups
                units.append(
                    ShuffleUnit(
                        channels,
                        wide,
                        groups=groups,
                        first_groups=first_groups,
                        norm_cfg=norm_cfg,
                        with_cp=with_cp,
                    )
                )
                channels = wide
            self.layers.append(Sequential(*units))
        stages = [(f"layers.{stage}",) for stage in range(len(_UNITS))]
        self._set_parts([("conv1", "maxpool"), *stages], channels=(_STEM, *_CHANNELS[groups]))
