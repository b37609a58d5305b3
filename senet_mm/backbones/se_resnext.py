"""SE-ResNeXt: mmdet's ResNeXt with SE blocks."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones.resnext import Bottleneck, ResNeXt
from mmdet.registry import MODELS

from .se_resnet import BottleneckBranch, SEBackboneMixin


class SEResNeXtBottleneck(BottleneckBranch, Bottleneck):
    """The bottleneck with a grouped 3x3 convolution, and SE."""


@MODELS.register_module()
class SEResNeXt(SEBackboneMixin, ResNeXt):
    """ResNeXt with an SE block in every residual unit (Table 1, right).

    Args:
        depth: 50, 101 or 152.
        groups: Groups of the 3x3 convolutions (cardinality), as in ``32x4d``.
        base_width: Channels per group in the first stage, as in ``32x4d``.
        zero_init_residual: Whether the last norm of each unit starts at zero, in
            a net that is trained from scratch. mmdet's ResNeXt, the plain twin,
            never does so, whatever its config says.
        se_cfg, num_stages: As for :class:`SEResNet`.
        **kwargs: As for :class:`SEResNet`.

    Raises:
        ValueError, TypeError: As for :class:`SEResNet`.
    """

    arch_settings = {
        depth: (SEResNeXtBottleneck, stage_blocks)
        for depth, (_, stage_blocks) in ResNeXt.arch_settings.items()
    }

    def __init__(self, *args: Any, zero_init_residual: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, zero_init_residual=zero_init_residual, **kwargs)
