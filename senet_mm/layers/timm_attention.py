"""timm's attention modules in SE's place."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.registry import MODELS

from .attention import near_names

# what a wrong name is compared with; timm itself has no list
_NAMES = (
    *("bat", "cbam", "ceca", "coord", "eca", "ecam", "ela", "ese", "gc", "gca", "ge", "halo"),
    *("lambda", "lcbam", "nl", "scoord", "sk", "splat", "strip"),
)
_MAP = (13, 9)  # a detector's maps have any height and width


@MODELS.register_module()
class TimmAttention:
    """An attention module of timm by its name there.

    What is built is timm's own module: its keys in a state dict are those that it
    has in timm's networks (``layer1.0.se.conv.weight`` in ECA-ResNet).

    Args:
        in_channels: Channels of the map, and of what the module returns.
        name: ``eca``, ``ecam``, ``ceca``, ``ese``, ``ge``, ``gc``, ``gca``, ``cbam``,
            ``lcbam``, ``coord``, ``sk``, ``splat``, or another that timm's version has and that
            takes maps of any height and width.
        **options: As the module takes them (``rd_ratio``, ``gate_layer``, ...).

    Raises:
        ImportError: If timm is missing.
        ValueError: If timm has no such module, does not build it so, or it
            changes the shape of a map.

    Example:
        >>> SEResNet(50, se_cfg=dict(type="TimmAttention", name="eca"))
    """

    hands_options_on = True  # to timm: for the check of options that are given on a command line

    def __new__(cls, in_channels: int, name: str, **options: Any) -> Any:
        """Build timm's module."""
        try:
            import timm
            from timm.layers.create_attn import create_attn
        except ImportError as error:
            raise ImportError(
                "TimmAttention needs timm: pip install timm, or pip install 'senet_mm[timm]'"
            ) from error
        if name == "se":
            raise ValueError("name='se' is SE: leave type and name out, SEBlock has its fast path")
        if not isinstance(name, str) or not _is_known(name):
            near = near_names(str(name), _NAMES)
            raise ValueError(f"timm {timm.__version__} has no attention {name!r}{near}")
        shape = (1, in_channels, *_MAP)
        try:
            with torch.device("meta"):
                probe = create_attn(name, in_channels, **options).eval()
                found = tuple(probe(torch.empty(shape)).shape)
        except Exception as error:  # whatever timm's modules raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(
                f"{name!r} of timm {timm.__version__} does not work so on a map of shape {shape}: "
                f"{reason}"
            ) from error
        if found != shape:
            raise ValueError(f"{name!r} makes {found} of a map of shape {shape}: expected its own")
        return create_attn(name, in_channels, **options)


def _is_known(name: str) -> bool:
    from timm.layers.create_attn import get_attn

    try:
        return bool(name) and get_attn(name) is not None
    except AssertionError:
        return False
