"""SE-ResNet: mmdet's ResNet with SE blocks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from mmdet.registry import MODELS
from torch import Tensor, nn

from ..layers import SEResidualMixin, stage_se_cfgs


class SEBasicBlock(SEResidualMixin, BasicBlock):
    """Two 3x3 convolutions and SE (ResNet-18 and 34)."""

    def branch(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        return self.norm2(self.conv2(out))


class BottleneckBranch(SEResidualMixin):
    """The branch that ResNet's and ResNeXt's bottlenecks share: 1x1, 3x3, 1x1."""

    def branch(self, x: Tensor) -> Tensor:
        out = self.relu(self.norm1(self.conv1(x)))
        out = self._plug(out, "after_conv1")
        out = self.relu(self.norm2(self.conv2(out)))
        out = self._plug(out, "after_conv2")
        out = self.norm3(self.conv3(out))
        return self._plug(out, "after_conv3")

    def _plug(self, x: Tensor, position: str) -> Tensor:
        if not self.with_plugins:
            return x
        return self.forward_plugin(x, getattr(self, f"{position}_plugin_names"))


class SEBottleneck(BottleneckBranch, Bottleneck):
    """1x1, 3x3, 1x1 convolutions and SE (ResNet-50 and deeper)."""


class SEBackboneMixin:
    """What SE adds to mmdet's ResNet family: ``se_cfg``, zero-init, checked arguments."""

    def __init__(
        self,
        depth: int,
        *,
        se_cfg: Mapping | Sequence[Mapping | None] = {},
        num_stages: int = 4,
        **kwargs: Any,
    ) -> None:
        _check_choice("depth", depth, self.arch_settings)
        _check_choice("num_stages", num_stages, range(1, 5))
        _check_choice("style", kwargs.get("style", "pytorch"), ("pytorch", "caffe"))
        for name in ("strides", "dilations"):
            values = kwargs.get(name, range(4))  # mmdet's default has four
            if len(values) != num_stages:
                raise ValueError(
                    f"{name}={values if name in kwargs else 'default, 4 values'}: expected one "
                    f"value per stage, num_stages={num_stages}"
                )
        out_indices = kwargs.get("out_indices", range(4))
        if not set(out_indices) <= set(range(num_stages)):
            raise ValueError(
                f"out_indices={tuple(out_indices)}: expected stages 0 to {num_stages - 1}"
            )
        self._stage_se_cfgs = stage_se_cfgs(se_cfg, num_stages)
        # a config empties an inherited init_cfg with `_delete_`; to mmdet only None means 'none'
        kwargs["init_cfg"] = kwargs.get("init_cfg") or None
        self._from_scratch = kwargs["init_cfg"] is None and kwargs.get("pretrained") is None
        super().__init__(depth=depth, num_stages=num_stages, **kwargs)

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """Build the next stage with its SE options; called by mmdet's ResNet."""
        stage = len(self.res_layers)
        if self.zero_init_residual and self._from_scratch:
            # mmdet does this for its own two blocks only, which it knows by identity
            last_norm = "norm2" if self.block.expansion == 1 else "norm3"
            kwargs["init_cfg"] = dict(type="Constant", val=0, override=dict(name=last_norm))
        try:
            return super().make_res_layer(se_cfg=self._stage_se_cfgs[stage], **kwargs)
        except ValueError as error:
            raise ValueError(f"stage {stage + 1} of {type(self).__name__}: {error}") from error

    def init_weights(self) -> None:
        """Initialize as mmengine does; warn where random weights would be frozen."""
        if self._from_scratch and self.frozen_stages >= 0:
            warnings.warn(
                f"{type(self).__name__} freezes its stem and {self.frozen_stages} stage(s) but has "
                "no pretrained init_cfg: unless a checkpoint is loaded over it, set "
                "frozen_stages=-1 and norm_eval=False",
                stacklevel=2,
            )
        super().init_weights()


def _check_choice(name: str, value: object, accepted: Any) -> None:
    if value not in accepted:
        raise ValueError(f"{name}={value!r}: expected one of {list(accepted)}")


@MODELS.register_module()
class SEResNet(SEBackboneMixin, ResNet):
    """ResNet with an SE block in every residual unit (section 3.3, Table 1).

    Args:
        depth: 18, 34, 50, 101 or 152.
        se_cfg: Options of :class:`senet_mm.layers.SEBlock`: one dict for all
            stages, or a sequence with one dict or None (no SE) per stage.
        num_stages: 1 to 4.
        **kwargs: As mmdet's ``ResNet`` takes them.

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
