"""SE-ResNet: mmdet's ResNet with SE blocks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from mmdet.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..layers import AttentionConfig, SEConfig, SEResidualMixin
from ..layers.padding import minds_padding, on_images
from .arguments import check_choice, check_names, check_norm, check_out_indices
from .exact_padding import zero_padding
from .features import BackboneMixin, FeatureInfo

_STEM_STRIDE = 4


class SEBasicBlock(SEResidualMixin, BasicBlock):
    """Two 3x3 convolutions and SE (ResNet-18 and 34)."""

    has_plugins_before_se = False  # mmdet's basic block takes none

    def first(self, x: Tensor) -> Tensor:
        return self.relu(self.norm1(self.conv1(x)))

    def last(self, h: Tensor) -> Tensor:
        return self.se_at("conv2", super().last(h))


class BottleneckBranch(SEResidualMixin):
    """The branch that ResNet's and ResNeXt's bottlenecks share: 1x1, 3x3, 1x1."""

    @property
    def has_plugins_before_se(self) -> bool:
        return self.with_plugins and bool(self.after_conv3_plugin_names)

    def first(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        out = self._plug(out, "after_conv1")
        out = self.relu(self.norm2(self.conv2(out)))
        return self.se_at("conv2", self._plug(out, "after_conv2"))

    def last(self, h: Tensor) -> Tensor:
        return self._plug(super().last(h), "after_conv3")

    def _plug(self, x: Tensor, position: str) -> Tensor:
        if not self.with_plugins:
            return x
        return self.forward_plugin(x, getattr(self, f"{position}_plugin_names"))


class SEBottleneck(BottleneckBranch, Bottleneck):
    """1x1, 3x3, 1x1 convolutions and SE (ResNet-50 and deeper)."""


class SEBackboneMixin(BackboneMixin, ResNet):
    """What SE adds to mmdet's ResNet family: ``se_cfg``, zero-init, checked arguments."""

    stage_se_cfgs: tuple[SEConfig | None, ...]
    padding = "ignore"  # what it is to any SE inside

    def __init__(
        self,
        depth: int,
        *,
        se_cfg: Mapping | Sequence[Mapping | None] = {},
        num_stages: int = 4,
        stem_pool: str = "pad",
        contract_dilation: bool = False,
        **kwargs: Any,
    ) -> None:
        check_names(type(self), kwargs)
        check_choice("depth", depth, self.arch_settings)
        check_choice("num_stages", num_stages, range(1, 5))
        check_choice("stem_pool", stem_pool, ("pad", "ceil"))
        check_choice("style", kwargs.get("style", "pytorch"), ("pytorch", "caffe"))
        per_stage = ["strides", "dilations"]
        if kwargs.get("dcn") is not None:
            per_stage.append("stage_with_dcn")
        for name in per_stage:
            values = kwargs.get(name, range(4))  # mmdet's default has four
            if not isinstance(values, Sequence) or len(values) != num_stages:
                raise ValueError(
                    f"{name}={values if name in kwargs else 'default, 4 values'}: expected one "
                    f"value per stage, num_stages={num_stages}"
                )
        check_choice("frozen_stages", kwargs.get("frozen_stages", -1), range(-1, num_stages + 1))
        check_out_indices(kwargs.get("out_indices", range(4)), num_stages)
        check_norm(kwargs.get("norm_cfg", dict(type="BN")))
        self.stage_se_cfgs = AttentionConfig.parse(se_cfg, num_stages)
        # a config empties an inherited init_cfg with `_delete_`; to mmdet only None means 'none'
        kwargs["init_cfg"] = kwargs.get("init_cfg") or None
        self.contract_dilation = contract_dilation
        self._from_scratch = kwargs["init_cfg"] is None and kwargs.get("pretrained") is None
        super().__init__(depth=depth, num_stages=num_stages, **kwargs)
        if stem_pool == "ceil":
            self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)
        self._mind_padding()

    def _mind_padding(self) -> None:
        paddings = {config.padding for config in self.stage_se_cfgs if config is not None}
        if "exact" in paddings:
            if len(paddings) > 1:
                raise ValueError(
                    f"se_cfg of {type(self).__name__} has padding={sorted(paddings)}: expected "
                    "'exact' in all stages with SE, or in none"
                )
            zero_padding(self)
            self.padding = "exact"
        elif minds_padding(self):
            self.padding = "mask"
        for module in self.modules():
            if isinstance(module, SEResidualMixin):
                module.padding = self.padding

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images of shape (N, 3, H, W) to the maps of ``out_indices``."""
        forward = super().forward
        return forward(x) if self.padding == "ignore" else on_images(forward, x)

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """Build the next stage with its SE options; called by mmdet's ResNet."""
        stage = len(self.res_layers)
        if self.zero_init_residual and self._from_scratch:
            # mmdet does this for its own two blocks only, which it knows by identity
            last_norm = "norm2" if self.block.expansion == 1 else "norm3"
            kwargs["init_cfg"] = dict(type="Constant", val=0, override=dict(name=last_norm))
        try:
            return self._make_se_layer(self.stage_se_cfgs[stage], **kwargs)
        except (TypeError, ValueError) as error:
            raise type(error)(f"layer{stage + 1} of {type(self).__name__}: {error}") from error

    def _make_se_layer(self, se_cfg: SEConfig | None, **kwargs: Any) -> nn.Module:
        units = set() if se_cfg is None else se_cfg.units(kwargs["num_blocks"])
        layer = super().make_res_layer(se_cfg=se_cfg, **kwargs)
        for index, unit in enumerate(layer):
            if se_cfg is not None and index not in units:
                unit.remove_se()
        if self.contract_dilation and kwargs["dilation"] > 1:
            _halve_dilation(layer[0])
        return layer

    @property
    def feature_info(self) -> FeatureInfo:
        """Channels, strides and modules of the maps: those of the stages."""
        stages = range(self.num_stages)
        strides = [_STEM_STRIDE * prod(self._stage_strides[: stage + 1]) for stage in stages]
        return FeatureInfo.of(stage_channels(self), strides, self.res_layers, self.out_indices)

    @property
    def strides(self) -> list[int]:
        """Stride of each map that comes out, where mmdet's attribute is that of each stage."""
        return super().strides

    @strides.setter
    def strides(self, of_stages: Sequence[int]) -> None:
        self._stage_strides = tuple(of_stages)  # mmdet's ResNet sets its option

    def init_weights(self) -> None:
        """Initialize as mmengine does; pretrained weights are checked while they are loaded.

        Raises:
            ValueError, OSError, ImportError: As :func:`senet_mm.weights.load_weights`.
        """
        batch_norm = "BN" in str(self.norm_cfg["type"])
        if self._from_scratch and (self.frozen_stages >= 0 or (self.norm_eval and batch_norm)):
            warnings.warn(
                f"{type(self).__name__} has frozen_stages={self.frozen_stages} and "
                f"norm_eval={self.norm_eval} but no pretrained init_cfg: unless a checkpoint is "
                "loaded over it, set frozen_stages=-1 and norm_eval=False",
                stacklevel=2,
            )
        super().init_weights()


def stage_channels(net: ResNet) -> list[int]:
    """Channels of the map of each stage of a network of mmdet's ResNet family."""
    return [net.block.expansion * net.base_channels * 2**stage for stage in range(net.num_stages)]


def _halve_dilation(unit: BasicBlock | Bottleneck) -> None:
    conv = unit.conv1 if unit.expansion == 1 else unit.conv2
    unit.dilation //= 2
    conv.dilation = conv.padding = (unit.dilation, unit.dilation)


@MODELS.register_module()
class SEResNet(SEBackboneMixin):
    """ResNet with an SE block in every residual unit (section 3.3, Table 1).

    Args:
        depth: 18, 34, 50, 101 or 152.
        se_cfg: Options of SE, see :class:`senet_mm.layers.SEConfig`: one dict for
            all stages, or a sequence with one dict or None (no SE) per stage. ``type`` names
            another attention, see :class:`senet_mm.layers.AttentionConfig`.
        num_stages: 1 to 4.
        stem_pool: The max pooling after the stem: ``pad`` (padding 1, as in
            torchvision and timm) or ``ceil`` (no padding, ceil mode, as in the
            Caffe ports).
        contract_dilation: Halve the dilation of the first unit of each dilated stage, as
            mmsegmentation's configs have it.
        **kwargs: As mmdet's ``ResNet`` takes them, by name.

    Raises:
        ValueError, TypeError: If an argument is not accepted; the message names
            the value, what is accepted and, for ``se_cfg``, the stage.

    Example:
        >>> SEResNet(50, se_cfg=[None, dict(reduction=8), dict(), dict()])
    """

    arch_settings = {
        depth: (SEBasicBlock if block is BasicBlock else SEBottleneck, stage_blocks)
        for depth, (block, stage_blocks) in ResNet.arch_settings.items()
    }


@MODELS.register_module()
class SEResNetV1d(SEResNet):
    """SE-ResNet with a stem of three 3x3 convolutions and average-pooled projections.

    Args:
        **kwargs: As for :class:`SEResNet`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **dict(deep_stem=True, avg_down=True) | kwargs)
