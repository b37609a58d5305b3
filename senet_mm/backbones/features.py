"""What a backbone tells of its maps, in timm's words, and the manners that all backbones share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.logging import MMLogger

from ..weights.checked_init import CheckedInitMixin


@dataclass(frozen=True)
class FeatureInfo:
    """Channels, strides and places of maps, with the methods of timm's class of this name.

    Attributes:
        info: Of each map that the net can give: ``num_chs``, ``reduction`` (its stride) and
            ``module`` (the name of the module that ends in it, empty where it is not known).
        out_indices: Those of them that come out.
    """

    info: tuple[Mapping[str, Any], ...]
    out_indices: tuple[int, ...]

    @classmethod
    def of(
        cls,
        channels: Sequence[int],
        strides: Sequence[int],
        modules: Sequence[str],
        out_indices: Sequence[int],
    ) -> FeatureInfo:
        """From one value per map of each kind."""
        maps = zip(channels, strides, modules, strict=True)
        info = (dict(num_chs=num, reduction=stride, module=name) for num, stride, name in maps)
        return cls(tuple(info), tuple(out_indices))

    def channels(self) -> list[int]:
        """Channels of each map that comes out."""
        return self._of_outputs("num_chs")

    def reduction(self) -> list[int]:
        """Stride of each map that comes out."""
        return self._of_outputs("reduction")

    def module_name(self) -> list[str]:
        """Name of the module that ends in each map that comes out."""
        return self._of_outputs("module")

    def _of_outputs(self, key: str) -> list[Any]:
        return [self.info[index][key] for index in self.out_indices]

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.info[index]

    def __len__(self) -> int:
        return len(self.info)


class BackboneMixin(CheckedInitMixin):
    """A backbone that checks its weights, tells its maps, and can be used without a config.

    A subclass names the mixin before the class that it extends, and has ``feature_info``.
    """

    feature_info: Any  # FeatureInfo, or timm's

    @property
    def channels(self) -> list[int]:
        """Channels of each map that comes out."""
        return list(self.feature_info.channels())

    @property
    def strides(self) -> list[int]:
        """Stride of each map that comes out, in pixels of the image from one cell to the next."""
        return list(self.feature_info.reduction())

    def train(self, mode: bool = True) -> BackboneMixin:
        """Switch to training or to inference; returns the module, where mmdet's own return None."""
        super().train(mode)
        return self

    def _dump_init_info(self) -> None:
        """Write how each tensor was initialized into a run's log; without a run, nowhere."""
        if any(hasattr(h, "baseFilename") for h in MMLogger.get_current_instance().handlers):
            super()._dump_init_info()
