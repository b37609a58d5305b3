"""What backbones of a stem and stages share: outputs, freezing, fixed statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .features import BackboneMixin, FeatureInfo


class StagedBackbone(BackboneMixin):
    """A backbone whose four outputs C2 to C5 have the strides 4, 8, 16 and 32, as mmdet's ResNet.

    A subclass may have other outputs, of other ``map_strides``.

    A subclass makes its layers, then calls :meth:`_set_parts`.

    Args:
        out_indices: Which of C2 to C5 are returned, by 0 to 3.
        frozen_stages: What does not train: -1 nothing, 0 the stem, n the stem and the first n
            stages. Frozen parts stay in eval mode, their batch norm included.
        norm_eval: Whether all batch norm keeps its statistics in training.
        init_cfg: mmengine's; weights that it names are checked while they are loaded.

    Raises:
        ValueError: If an argument is not accepted; the message names it and what is.
    """

    map_strides: tuple[int, ...] = (4, 8, 16, 32)

    def __init__(
        self,
        *,
        out_indices: Sequence[int],
        frozen_stages: int,
        norm_eval: bool,
        init_cfg: Any,
    ) -> None:
        super().__init__(init_cfg or None)  # a config empties an inherited one with `_delete_`
        listed = out_indices if isinstance(out_indices, Sequence) else ()
        if not listed or not set(listed) <= set(range(len(self.map_strides))):
            raise ValueError(
                f"out_indices={out_indices!r} of {type(self).__name__}: expected some of 0 to "
                f"{len(self.map_strides) - 1}, maps of strides {self.map_strides[0]} to "
                f"{self.map_strides[-1]}"
            )
        self.out_indices = tuple(sorted(set(listed)))
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

    def _set_parts(self, parts: Iterable[Sequence[str]], channels: Sequence[int]) -> None:
        """State what runs in which order.

        Args:
            parts: Names of the modules of the stem, of the first stage, and so on. Each of the
                last four ends in one of C2 to C5 (or each of as many as there are outputs).
            channels: Of C2 to C5.
        """
        self._parts = tuple(tuple(part) for part in parts)
        if self.frozen_stages not in range(-1, len(self._parts)):
            raise ValueError(
                f"frozen_stages={self.frozen_stages!r} of {type(self).__name__}: expected -1 "
                f"(nothing), 0 (the stem) to {len(self._parts) - 1} (and so many stages)"
            )
        self._channels = tuple(channels)
        self._freeze()

    @property
    def feature_info(self) -> FeatureInfo:
        """Channels, strides and modules of the maps."""
        ends = [part[-1] for part in self._parts[-len(self.map_strides) :]]
        return FeatureInfo.of(self._channels, self.map_strides, ends, self.out_indices)

    @property
    def out_channels(self) -> list[int]:
        """Channels of each map that comes out: what the neck's ``in_channels`` must be."""
        return self.channels

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Images of shape (N, 3, H, W) to the maps of ``out_indices``."""
        maps = []
        for part in self._parts:
            for name in part:
                x = self.get_submodule(name)(x)
            maps.append(x)
        return tuple(maps[-len(self.map_strides) :][index] for index in self.out_indices)

    def train(self, mode: bool = True) -> StagedBackbone:
        """Switch to training, but for what is frozen, or to inference."""
        super().train(mode)
        self._freeze()
        if self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _freeze(self) -> None:
        for part in self._parts[: self.frozen_stages + 1]:
            for name in part:
                module: nn.Module = self.get_submodule(name)
                module.eval().requires_grad_(False)
