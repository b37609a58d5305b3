"""BN-Inception (arXiv 1502.03167), the Inception network of the paper's Table 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from .staged import StagedBackbone


class CeilMaxPool(nn.MaxPool2d):
    """The Caffe nets' unpadded 3x3 pooling of stride 2, as large as a padded convolution.

    On a map of odd height or width the plain pooling has a row or column less
    than a convolution of padding 1, so that their concatenation fails. Such a
    map gets one more, of -inf; even maps are pooled as they are.
    """

    def __init__(self) -> None:
        super().__init__(3, stride=2, ceil_mode=True)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        if height % 2 or width % 2:
            x = F.pad(x, (0, width % 2, 0, height % 2), value=-torch.inf)
        return super().forward(x)


def _average() -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1)  # the padding counts, as in Caffe


def _maximum() -> nn.Module:
    return nn.MaxPool2d(3, stride=1, padding=1)


class Widths(NamedTuple):
    """Channels in a module; it has stride 2 where there are no 1x1 and no projection."""

    conv_1x1: int
    conv_3x3: tuple[int, int]
    double_3x3: tuple[int, int]
    pool: Callable[[], nn.Module]
    pool_proj: int

    def out_channels(self, in_channels: int) -> int:
        """Channels of the module's output."""
        pooled = self.pool_proj or in_channels
        return self.conv_1x1 + self.conv_3x3[1] + self.double_3x3[1] + pooled


# as in the SE authors' prototxt: 4c and 4d have 608 channels, the sum of their branches, where the
# figure of arXiv 1502.03167 prints 576
_MODULES = {
    "inception_3a": Widths(64, (64, 64), (64, 96), _average, 32),
    "inception_3b": Widths(64, (64, 96), (64, 96), _average, 64),
    "inception_3c": Widths(0, (128, 160), (64, 96), CeilMaxPool, 0),
    "inception_4a": Widths(224, (64, 96), (96, 128), _average, 128),
    "inception_4b": Widths(192, (96, 128), (96, 128), _average, 128),
    "inception_4c": Widths(160, (128, 160), (128, 160), _average, 128),
    "inception_4d": Widths(96, (128, 192), (160, 192), _average, 128),
    "inception_4e": Widths(0, (128, 192), (192, 256), CeilMaxPool, 0),
    "inception_5a": Widths(352, (192, 320), (160, 224), _average, 128),
    "inception_5b": Widths(352, (192, 320), (192, 224), _maximum, 128),
}
_PARTS = (
    ("conv1", "pool1"),
    ("conv2_reduce", "conv2"),
    ("pool2", "inception_3a", "inception_3b"),
    ("inception_3c", "inception_4a", "inception_4b", "inception_4c", "inception_4d"),
    ("inception_4e", "inception_5a", "inception_5b"),
)


class Inception(BaseModule):
    """Branches side by side, concatenated in this order: 1x1, 3x3, two 3x3, pooling and 1x1.

    Args:
        in_channels: Channels of the input.
        widths: Channels of the branches.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing the module twice.
    """

    def __init__(
        self, in_channels: int, widths: Widths, *, norm_cfg: Mapping[str, Any], with_cp: bool
    ) -> None:
        super().__init__()
        self.with_cp = with_cp
        stride = 1 if widths.conv_1x1 else 2

        def conv(before: int, after: int, kernel: int, stride: int = 1) -> nn.Module:
            padding = kernel // 2
            return ConvModule(before, after, kernel, stride, padding, norm_cfg=norm_cfg)

        if stride == 1:
            self.conv_1x1 = conv(in_channels, widths.conv_1x1, 1)
        reduced, wide = widths.conv_3x3
        self.conv_3x3 = Sequential(conv(in_channels, reduced, 1), conv(reduced, wide, 3, stride))
        reduced, wide = widths.double_3x3
        self.double_3x3 = Sequential(
            conv(in_channels, reduced, 1), conv(reduced, wide, 3), conv(wide, wide, 3, stride)
        )
        self.pool = widths.pool()
        if stride == 1:
            self.pool_proj = conv(in_channels, widths.pool_proj, 1)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """A map of shape (N, C, H, W) to one of the widths' channels, halved by stride 2."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._forward, x, use_reentrant=False)
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        wide, double, pooled = self.conv_3x3(x), self.double_3x3(x), self.pool(x)
        if self.stride == 2:
            return torch.cat([wide, double, pooled], dim=1)
        return torch.cat([self.conv_1x1(x), wide, double, self.pool_proj(pooled)], dim=1)


@MODELS.register_module()
class BNInception(StagedBackbone):
    r"""BN-Inception without its classifier, for images of any size.

    The stem is the first convolution and its pooling; the stages end in the
    second convolution (C2) and in modules 3b, 4d and 5b (C3 to C5). For SE
    (Fig. 2) the units of ``SEBackbone`` are the modules: ``r"inception_\d\w"``.

    Args:
        out_indices, frozen_stages, norm_eval: As for mmdet's ``ResNet``; see
            :class:`senet_mm.backbones.staged.StagedBackbone`.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each module twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        *,
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
        self.conv1 = ConvModule(3, 64, 7, stride=2, padding=3, norm_cfg=norm_cfg)
        self.pool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2_reduce = ConvModule(64, 64, 1, norm_cfg=norm_cfg)
        self.conv2 = ConvModule(64, 192, 3, padding=1, norm_cfg=norm_cfg)
        self.pool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = 192
        for name, widths in _MODULES.items():
            self.add_module(name, Inception(channels, widths, norm_cfg=norm_cfg, with_cp=with_cp))
            channels = widths.out_channels(channels)
        self._set_parts(_PARTS, channels=(192, 320, 608, 1024))
