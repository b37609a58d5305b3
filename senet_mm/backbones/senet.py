"""SENet-154 (arXiv 1709.01507, appendix)."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import build_conv_layer, build_norm_layer
from mmdet.registry import MODELS
from torch import nn

from .se_resnext import SEResNeXt, SEResNeXtBottleneck


class SENetBottleneck(SEResNeXtBottleneck):
    """SE-ResNeXt's bottleneck with half the channels in its first 1x1 convolution."""

    after_conv1_plugin_names: list[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        width = self.conv1.out_channels // 2
        self.conv1 = build_conv_layer(
            self.conv_cfg,
            self.inplanes,
            width,
            kernel_size=1,
            stride=self.conv1_stride,
            bias=False,
        )
        self.norm1_name, norm1 = build_norm_layer(self.norm_cfg, width, postfix=1)
        self.add_module(self.norm1_name, norm1)
        wide = self.conv2
        self.conv2 = build_conv_layer(
            self.conv_cfg if isinstance(wide, nn.Conv2d) else self.dcn,
            width,
            wide.out_channels,
            kernel_size=3,
            stride=self.conv2_stride,
            padding=self.dilation,
            dilation=self.dilation,
            groups=wide.groups,
            bias=False,
        )
        if self.with_plugins:
            self._del_block_plugins(self.after_conv1_plugin_names)
            self.after_conv1_plugin_names = self.make_block_plugins(width, self.after_conv1_plugins)


@MODELS.register_module()
class SENet(SEResNeXt):
    """SENet-154: a 64x4d SE-ResNeXt-152, modified.

    The first 1x1 convolution of each bottleneck has half the channels, the
    stem is three 3x3 convolutions (64, 64, 128), and the projections of the
    last three stages are 3x3 (1x1 after the pooling of ``avg_down``). The
    released Caffe port pools its stem with ``stem_pool='ceil'``.

    Args:
        depth: 154 alone.
        groups: Groups of the 3x3 convolutions.
        base_width: Channels per group in the first stage.
        **kwargs: As for :class:`SEResNet`.

    Raises:
        ValueError, TypeError: As for :class:`SEResNet`.
    """

    arch_settings = {154: (SENetBottleneck, (3, 8, 36, 3))}

    def __init__(
        self, depth: int = 154, *, groups: int = 64, base_width: int = 4, **kwargs: Any
    ) -> None:
        options = dict(deep_stem=True, stem_channels=128) | kwargs
        super().__init__(depth=depth, groups=groups, base_width=base_width, **options)

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """Build the next stage; its projection is 3x3 but in the first."""
        layer: Any = super().make_res_layer(**kwargs)
        projection = layer[0].downsample
        if self.res_layers and not self.avg_down:
            narrow = projection[0]
            projection[0] = build_conv_layer(
                self.conv_cfg,
                narrow.in_channels,
                narrow.out_channels,
                kernel_size=3,
                stride=narrow.stride,
                padding=1,
                bias=False,
            )
        return layer
