"""Shake-Shake networks (arXiv 1705.07485) for CIFAR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.registry import MODELS
from mmengine.model import Sequential
from torch import nn

from .shake_unit import ShakeUnit
from .three_stages import ThreeStages, check_positive, conv, norm, units_per_stage


@MODELS.register_module()
class ShakeResNet(ThreeStages):
    r"""ResNet of two mixed branches of 3x3 convolutions, without its classifier.

    Shake-Shake 26 2x96d of Table 4 is the default. For SE, on each branch before
    they are mixed, the units of ``SEBackbone`` are ``r"stage\d\.\d+\.branch\d"``;
    on the mixture they are ``r"stage\d\.\d+\.shake"``.

    Args:
        depth: Layers with weights along one branch: 6n + 2; each stage has n units.
        base_channels: Of the first stage; the next two have twice and four times as many.
        backward: How the gradient is split in training: ``"shake"``, at random, or ``"even"``.
        out_indices, frozen_stages, norm_eval: See :class:`.three_stages.ThreeStages`. Frozen
            stages do not shake.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each unit twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded. By default
            He's initialization.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        depth: int = 26,
        base_channels: int = 96,
        *,
        backward: str = "shake",
        out_indices: Sequence[int] = (2,),
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
        if not isinstance(base_channels, int) or base_channels < 2 or base_channels % 2:
            raise ValueError(
                f"base_channels={base_channels!r} of ShakeResNet: expected a positive even integer"
            )

        def unit(before: int, after: int, stride: int) -> nn.Module:
            return ShakeUnit(
                before, after, stride, backward=backward, norm_cfg=norm_cfg, with_cp=with_cp
            )

        self._set_stages(
            stem=Sequential(conv(3, 16, 3), norm(norm_cfg, 16)),
            unit=unit,
            num_units=units_per_stage("ShakeResNet", depth, layers=2, others=2),
            channels=(16, base_channels, 2 * base_channels, 4 * base_channels),
            final=nn.ReLU(),
        )


@MODELS.register_module()
class ShakeResNeXt(ThreeStages):
    r"""ResNeXt of two mixed branches of grouped bottlenecks, without its classifier.

    Shake-Even 29 2x4x64d of Table 5 is the default: the stages put out 256, 512
    and 1024 channels. For SE the units of ``SEBackbone`` are those of
    :class:`ShakeResNet`.

    Args:
        depth: Layers with weights along one branch: 9n + 2; each stage has n units.
        groups: Groups of the 3x3 convolutions.
        base_width: Channels of a group in the first stage; then twice and four times as many.
        backward: How the gradient is split in training: ``"shake"``, at random, or ``"even"``.
        out_indices, frozen_stages, norm_eval: See :class:`.three_stages.ThreeStages`. Frozen
            stages do not shake.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each unit twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded. By default
            He's initialization.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        depth: int = 29,
        groups: int = 4,
        base_width: int = 64,
        *,
        backward: str = "even",
        out_indices: Sequence[int] = (2,),
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
        check_positive("ShakeResNeXt", groups=groups, base_width=base_width)

        def unit(before: int, after: int, stride: int) -> nn.Module:
            return ShakeUnit(
                before,
                after,
                stride,
                width=groups * base_width * after // 256,
                groups=groups,
                backward=backward,
                norm_cfg=norm_cfg,
                with_cp=with_cp,
            )

        self._set_stages(
            stem=Sequential(conv(3, 64, 3), norm(norm_cfg, 64)),
            unit=unit,
            num_units=units_per_stage("ShakeResNeXt", depth, layers=3, others=2),
            channels=(64, 256, 512, 1024),
            final=nn.ReLU(),
        )
