"""What gates a map: the SE block, or in its place another module, which ``type`` names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from mmdet.registry import MODELS
from mmengine.registry import DefaultScope
from torch import nn

from ..io.near_names import nearest
from .se_block import SEBlock, build_se
from .se_config import OWNERS, SEConfig

_SE = (SEBlock, "SEBlock", "mmdet.SEBlock")


def _any(value: object) -> None:
    """Accept it: what the module takes is its own affair."""


@dataclass(frozen=True, kw_only=True)
class AttentionConfig(SEConfig):
    """Another attention in SE's place: a dict of ``se_cfg`` with a ``type``.

    Where it goes, ``placement``, ``branch_relu`` and ``blocks``, is said as for SE. The SE
    block's own keys and ``fused`` mean nothing here.

    Attributes:
        type: The name, in mmdet's MODELS, of a module that takes ``in_channels``, or its class.
        options: The module's other options.
    """

    type: Any = field(metadata=dict(check=_any, owner="block", hidden=False))
    options: Mapping[str, Any] = field(metadata=dict(check=_any, owner="block", hidden=False))

    @classmethod
    def of(
        cls,
        options: SEConfig | Mapping[str, Any],
        where: str = "se_cfg",
        *,
        owners: Collection[str] = OWNERS,
    ) -> SEConfig:
        """A dict of ``se_cfg``, checked; it is SE's unless ``type`` says otherwise.

        Args:
            options: Values by key.
            where: Whose options they are; starts every error.
            owners: As :meth:`SEConfig.of`; a key of other owners is the module's option.

        Raises:
            TypeError, ValueError: As :meth:`SEConfig.of`, or if ``type`` is no name of a module.
        """
        if not isinstance(options, Mapping) or "type" not in options:
            return SEConfig.of(options, where, owners=owners)
        own = dict(options)
        kind = own.pop("type")
        if kind in _SE:
            return SEConfig.of(own, where, owners=owners)
        if not isinstance(kind, str) and not callable(kind):
            raise TypeError(f"{where}: type={kind!r}: expected the name of a registered module")
        places = [
            key.name
            for key in fields(SEConfig)
            if key.name in own and key.metadata["owner"] in owners and _is_place(key.name)
        ]
        placed = {name: own.pop(name) for name in places}
        try:
            return cls(type=kind, options=own, **placed)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}: {error}") from None

    @property
    def name(self) -> str:
        """What the module is called, without its registry's scope."""
        name = self.type if isinstance(self.type, str) else self.type.__name__
        return name.rpartition(".")[2]

    def changed(self) -> dict[str, Any]:
        """What a config must say."""
        placed = {name: value for name, value in super().changed().items() if _is_place(name)}
        return dict(type=self.type, **self.options, **placed)

    def hidden(self) -> dict[str, Any]:
        """What may change the function without a trace in a state dict."""
        placed = {name: value for name, value in super().hidden().items() if _is_place(name)}
        return dict(type=self.name, **self.options, **placed)


def _is_place(key: str) -> bool:
    """Whether a key says where attention is, whatever attention it is."""
    return key in ("placement", "branch_relu", "blocks")


def build_attention(config: SEConfig, in_channels: int) -> nn.Module:
    """The SE block, or the other module, that a config asks for.

    Args:
        config: As :meth:`AttentionConfig.of` reads it.
        in_channels: Channels of the map.

    Raises:
        ValueError: If its type is not registered or does not take ``in_channels`` or an option, or
            an SE block's hidden layer would have no channel.
        ImportError: If the module needs a package that is missing.
    """
    if not isinstance(config, AttentionConfig):
        return build_se(config, in_channels)
    options = dict(config.options)
    with DefaultScope.overwrite_default_scope("mmdet"):
        build = MODELS.get(config.type) if isinstance(config.type, str) else config.type
        if build is None:
            near = near_names(config.type, list(MODELS.module_dict))
            raise ValueError(f"type={config.type!r} is not registered in mmdet's MODELS{near}")
        try:
            return build(in_channels=in_channels, **options)
        except ImportError:
            raise
        except Exception as error:  # whatever it raises about its options
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            se_keys = [key.name for key in fields(SEConfig) if key.name in options]
            hint = f"; of SEBlock alone: {', '.join(se_keys)}" if se_keys else ""
            raise ValueError(f"{config.name} does not take {options} ({reason}{hint})") from error


def near_names(name: str, known: Sequence[str]) -> str:
    """The names like one, as the end of a message; else the first ones."""
    plain = re.sub(r"[\\^$()?*+\[\]]", "", name)
    near = nearest(plain, known, number=3, cutoff=0.5)
    return near or f"; there are {', '.join(known[:5])}{', ...' if known[5:] else ''}"
