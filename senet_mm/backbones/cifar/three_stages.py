"""What the networks for CIFAR share: a 3x3 stem, three stages of strides 1, 2 and 4, He's init."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmcv.cnn import build_norm_layer
from mmengine.model import Sequential
from torch import nn

from ..staged import StagedBackbone

# of all their papers' codes: normal, by the outputs of a convolution
_HE = [
    dict(type="Kaiming", layer="Conv2d"),
    dict(type="Constant", val=1, layer=["_BatchNorm", "GroupNorm"]),
]


def conv(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution of odd size that keeps height and width at stride 1, without bias."""
    return nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)


def norm(norm_cfg: Mapping[str, Any], channels: int) -> nn.Module:
    """A norm layer."""
    return build_norm_layer(dict(norm_cfg), channels)[1]


def units_per_stage(net: str, depth: int, *, layers: int, others: int) -> int:
    """How many units each of three stages has.

    Args:
        net: Name of the network's class.
        depth: Layers with weights, as its name counts them.
        layers: Those of a unit.
        others: Those outside the units.

    Raises:
        ValueError: If no number of units makes such a depth.
    """
    units, rest = divmod(depth - others, 3 * layers) if isinstance(depth, int) else (0, 0)
    if units < 1 or rest:
        raise ValueError(
            f"depth={depth!r} of {net}: expected {3 * layers}n + {others}, which is three stages "
            f"of n units, such as {3 * layers + others}"
        )
    return units


def check_positive(net: str, **options: int) -> None:
    """Check options that are positive integers.

    Raises:
        ValueError: If one is not.
    """
    for name, value in options.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r} of {net}: expected a positive integer")


class ThreeStages(StagedBackbone):
    """A backbone for small images, whose outputs of the three stages have the strides 1, 2 and 4.

    The last output is that of ``final``, which stands between the last sum and
    a classifier; the other two are bare sums. A subclass calls
    :meth:`_set_stages`.

    Args:
        out_indices: Which stages' maps are returned, by 0 to 2.
        frozen_stages: What does not train: -1 nothing, 0 the stem, n the stem and the first n
            stages. Frozen parts stay in eval mode.
        norm_eval: Whether all batch norm keeps its statistics in training.
        init_cfg: mmengine's; weights that it names are checked while they are loaded. By default
            He's initialization.

    Raises:
        ValueError: If an argument is not accepted; the message names it and what is.
    """

    map_strides = (1, 2, 4)

    def __init__(
        self,
        *,
        out_indices: Sequence[int],
        frozen_stages: int,
        norm_eval: bool,
        init_cfg: dict | list[dict] | None,
    ) -> None:
        super().__init__(
            out_indices=out_indices,
            frozen_stages=frozen_stages,
            norm_eval=norm_eval,
            init_cfg=init_cfg or _HE,
        )

    def _set_stages(
        self,
        *,
        stem: nn.Module,
        unit: Callable[[int, int, int], nn.Module],
        num_units: int,
        channels: Sequence[int],
        final: nn.Module,
    ) -> None:
        """Make the stages.

        Args:
            stem: What comes before them.
            unit: A unit from the channels of its input and output, and its stride.
            num_units: Units of each stage.
            channels: Of the stem's map, then of each stage.
            final: What follows the last stage.
        """
        self.stem = stem
        for stage, (before, after) in enumerate(zip(channels, channels[1:], strict=False)):
            first = unit(before, after, 2 if stage else 1)
            rest = [unit(after, after, 1) for _ in range(num_units - 1)]
            self.add_module(f"stage{stage + 1}", Sequential(first, *rest))
        self.final = final
        parts = (("stem",), ("stage1",), ("stage2",), ("stage3", "final"))
        self._set_parts(parts, channels=channels[1:])
