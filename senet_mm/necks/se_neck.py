"""SE around any registered neck."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from mmdet.registry import MODELS
from mmengine.model import BaseModule, ModuleDict
from torch import Tensor, nn

from ..layers.padding import minds_padding, on_maps
from .levels import apply_gates, check_positions, level_gates

POSITIONS = ("input", "output")


@MODELS.register_module()
class SENeck(BaseModule):
    """A neck with an SE block per level on its inputs, its outputs or both.

    Works with every neck whose config lists its ``in_channels`` finest level
    first and whose levels halve in size, as FPN and its kin do, and with necks
    of one level (``in_channels`` is a number). With no position it equals the
    wrapped neck bit for bit. Inputs that the neck does not read, such as those
    below its ``start_level``, have no gate: it would get no gradient.

    Args:
        neck: Config of the neck, or of a chain of necks (a list).
        positions: ``input``, ``output`` or both.
        se_cfg: Options of :class:`senet_mm.layers.SEBlock`, or of another ``type``.
        init_cfg: mmengine initialization config.

    Raises:
        ValueError: If a position is unknown, an option does not suit a level,
            or the neck's levels are not as said above.

    Example:
        >>> fpn = dict(type='FPN', in_channels=[64, 128], out_channels=64, num_outs=2)
        >>> SENeck(fpn, positions=['output'])
    """

    def __init__(
        self,
        neck: dict | list[dict],
        *,
        positions: Sequence[str] = (),
        se_cfg: Mapping | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        positions = check_positions(positions, POSITIONS)
        self.neck = MODELS.build(copy.deepcopy(neck))
        channels = _probe(self.neck, _in_channels(neck)) if positions else {}
        self.gates = ModuleDict(
            {name: level_gates(channels[name], se_cfg or {}, name) for name in positions}
        )
        self.minds_padding = minds_padding(self.gates)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Maps (N, C_i, H_i, W_i), finest first -> the maps of the wrapped neck, gated.

        Raises:
            ValueError: If there are more or fewer maps than gates.
        """
        return on_maps(self._gated, inputs) if self.minds_padding else self._gated(inputs)

    def _gated(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        if "input" in self.gates:
            inputs = apply_gates(self.gates["input"], inputs)
        outs = self.neck(inputs)
        return apply_gates(self.gates["output"], outs) if "output" in self.gates else outs


def _in_channels(neck: dict | list[dict]) -> list[int]:
    first = neck[0] if isinstance(neck, (list, tuple)) else neck
    channels = first.get("in_channels")
    if isinstance(channels, int):
        return [channels] * first.get("num_levels", 1)  # BFP has several
    if not isinstance(channels, (list, tuple)):
        raise ValueError(
            f"in_channels={channels!r} of neck {first.get('type')}: expected one number per level"
        )
    return list(channels)


def _probe(neck: nn.Module, in_channels: list[int]) -> dict[str, list[int | None]]:
    """Channels of the inputs that a neck reads (None: it does not) and of its outputs.

    Read off a pass of small maps and its gradients, as configs name them in many ways.
    """
    sides = [2 ** (len(in_channels) + 2 - level) for level in range(len(in_channels))]
    maps = [
        torch.zeros(1, count, side, side, requires_grad=True)
        for count, side in zip(in_channels, sides, strict=True)
    ]
    training = neck.training
    neck.eval()  # leaves batch norm's statistics alone
    try:
        with torch.enable_grad():
            outs = neck(tuple(maps))
            if not isinstance(outs, (tuple, list)):
                raise TypeError(f"it returns a {type(outs).__name__}, no sequence of maps")
            loss = sum(out.sum() for out in outs)
        grads = torch.autograd.grad(loss, maps, allow_unused=True)
        out_channels = [out.shape[1] for out in outs]
    except Exception as error:  # whatever a neck raises for inputs that are not its own
        raise ValueError(
            f"{type(neck).__name__} takes no pyramid of {in_channels} channels, finest level "
            f"first, each half as large as the one before: {type(error).__name__}: {error}"
        ) from error
    neck.train(training)
    read = [None if grad is None else c for c, grad in zip(in_channels, grads, strict=True)]
    return {"input": read, "output": out_channels}
