"""Pre-activation ResNet (arXiv 1603.05027) and Wide ResNet (arXiv 1605.07146), as for CIFAR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.registry import MODELS
from mmengine.model import Sequential
from torch import nn

from .preact_unit import PreActUnit
from .three_stages import ThreeStages, check_positive, conv, norm, units_per_stage

_STEM = 16
_SHORTCUTS = ("conv", "zero")


class PreActStages(ThreeStages):
    """A convolution, three stages of pre-activation units, norm and ReLU."""

    def _set_units(
        self,
        num_units: int,
        channels: Sequence[int],
        *,
        bottleneck: bool,
        conv_shortcut: bool,
        norm_cfg: Mapping[str, Any],
        with_cp: bool,
    ) -> None:
        def unit(before: int, after: int, stride: int) -> nn.Module:
            return PreActUnit(
                before,
                after,
                stride,
                bottleneck=bottleneck,
                conv_shortcut=conv_shortcut,
                norm_cfg=norm_cfg,
                with_cp=with_cp,
            )

        self._set_stages(
            stem=conv(3, _STEM, 3),
            unit=unit,
            num_units=num_units,
            channels=(_STEM, *channels),
            final=Sequential(norm(norm_cfg, channels[-1]), nn.ReLU(inplace=True)),
        )
        # the stem ends in a bare convolution
        self.get_submodule("stage1.0").activates_shortcut = True


@MODELS.register_module()
class PreActResNet(PreActStages):
    r"""ResNet with full pre-activation, for images of 32x32, without its classifier.

    ResNet-110 of Tables 4 and 5 is ``depth=110, shortcut="zero"``, and
    ResNet-164 is ``depth=164, bottleneck=True``. For SE, on each unit's branch
    before the sum, the units of ``SEBackbone`` are ``r"stage\d\.\d+\.branch"``.

    Args:
        depth: Layers with weights: 6n + 2, or 9n + 2 with ``bottleneck``; each stage has n units.
        bottleneck: Whether a unit is 1x1 (with the stride), 3x3, 1x1, of which the stages put out
            64, 128 and 256 channels; else it is two 3x3, of 16, 32 and 64.
        shortcut: Where channels are added: ``"conv"``, a 1x1 convolution of the activated input,
            or ``"zero"``, zeros beside the input itself.
        out_indices, frozen_stages, norm_eval: See :class:`.three_stages.ThreeStages`.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each unit twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded. By default
            He's initialization.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        depth: int,
        *,
        bottleneck: bool = False,
        shortcut: str = "conv",
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
        if shortcut not in _SHORTCUTS:
            raise ValueError(f"shortcut={shortcut!r} of PreActResNet: expected 'conv' or 'zero'")
        self._set_units(
            units_per_stage("PreActResNet", depth, layers=3 if bottleneck else 2, others=2),
            (64, 128, 256) if bottleneck else (16, 32, 64),
            bottleneck=bottleneck,
            conv_shortcut=shortcut == "conv",
            norm_cfg=norm_cfg,
            with_cp=with_cp,
        )


@MODELS.register_module()
class WideResNet(PreActStages):
    r"""Wide ResNet, for images of 32x32, without its classifier; no dropout.

    WRN-16-8 of Tables 4 and 5 is the default. For SE, on each unit's branch
    before the sum, the units of ``SEBackbone`` are ``r"stage\d\.\d+\.branch"``.

    Args:
        depth: Convolutions, those of shortcuts included: 6n + 4; each stage has n units.
        widen_factor: k: the stages have 16k, 32k and 64k channels.
        out_indices, frozen_stages, norm_eval: See :class:`.three_stages.ThreeStages`.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to save memory in training by computing each unit twice.
        init_cfg: mmengine's; weights that it names are checked while they are loaded. By default
            He's initialization.

    Raises:
        ValueError: If an argument is not accepted.
    """

    def __init__(
        self,
        depth: int = 16,
        widen_factor: int = 8,
        *,
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
        check_positive("WideResNet", widen_factor=widen_factor)
        self._set_units(
            units_per_stage("WideResNet", depth, layers=2, others=4),
            [width * widen_factor for width in (16, 32, 64)],
            bottleneck=False,
            conv_shortcut=True,
            norm_cfg=norm_cfg,
            with_cp=with_cp,
        )
