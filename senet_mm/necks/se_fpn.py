"""mmdet's FPN with SE at its inputs, laterals or outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from mmdet.models.necks import FPN
from mmdet.registry import MODELS
from mmengine.model import ModuleDict
from torch import Tensor, nn

from ..layers.padding import minds_padding, on_maps
from .levels import apply_gates, check_positions, level_gates

POSITIONS = ("input", "lateral", "output")


@MODELS.register_module()
class SEFPN(FPN):
    """Feature pyramid network with an SE block per level at chosen positions.

    With no position it equals mmdet's FPN bit for bit, and at any position the
    keys of FPN's own weights are unchanged.

    Args:
        in_channels: Channels of each backbone map.
        positions: Any of ``input`` (backbone maps, before the lateral
            convolutions), ``lateral`` (after them, before the top-down sums)
            and ``output`` (each map that leaves the neck).
        se_cfg: Options of :class:`senet_mm.layers.SEBlock`, or of another ``type``.
        **kwargs: As mmdet's ``FPN`` takes them.

    Raises:
        ValueError: If a position is unknown or an option does not suit a level.
    """

    def __init__(
        self,
        in_channels: list[int],
        *args: Any,
        positions: Sequence[str] = (),
        se_cfg: Mapping | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, *args, **kwargs)
        positions = check_positions(positions, POSITIONS)
        channels = {
            # the levels below start_level are not used: a gate there would get no gradient
            "input": self.in_channels[self.start_level : self.backbone_end_level],
            "lateral": [self.out_channels] * len(self.lateral_convs),
            "output": [self.out_channels] * self.num_outs,
        }
        self.gates = ModuleDict(
            {name: level_gates(channels[name], se_cfg or {}, name) for name in positions}
        )
        self.minds_padding = minds_padding(self.gates)
        if "lateral" in self.gates:
            # FPN's forward stays FPN's: the hook replaces what a lateral convolution returns
            for conv, gate in zip(self.lateral_convs, self.gates["lateral"], strict=True):
                conv.register_forward_hook(partial(_gate_output, gate))

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Backbone maps (N, C_i, H_i, W_i) -> ``num_outs`` maps of ``out_channels`` channels."""
        return on_maps(self._gated, inputs) if self.minds_padding else self._gated(inputs)

    def _gated(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        if "input" in self.gates:
            first, last = self.start_level, self.backbone_end_level
            gated = apply_gates(self.gates["input"], inputs[first:last])
            inputs = (*inputs[:first], *gated, *inputs[last:])
        outs = super().forward(inputs)
        return apply_gates(self.gates["output"], outs) if "output" in self.gates else outs


def _gate_output(gate: nn.Module, module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    return gate(output)
