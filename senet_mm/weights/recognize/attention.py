"""Other attention in SE's place in residual units, and what its tensors do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torch import nn

from ...layers import SEBlock
from .geometry import Hidden, stages_of

_PLACE = re.compile(r"layer(\d+)\.\d+\.se")


def other_attention(backbone: nn.Module) -> dict[str, nn.Module]:
    """What is in SE's place in the residual units of a backbone and is no SE, by name."""
    return {
        name: module
        for name, module in backbone.named_modules()
        if _PLACE.fullmatch(name) and not isinstance(module, SEBlock)
    }


def attention_differences(
    names: Iterable[str], of_weights: Hidden, of_backbone: Hidden
) -> list[str]:
    """What must be set so that attention computes what its weights were trained for.

    Its options are known of weights whose config is; else its place alone is compared, which
    released weights have before the sum.

    Args:
        names: The modules that have weights (``layer1.0.se``).
        of_weights: What leaves no trace in a state dict, of the weights.
        of_backbone: The same of the backbone.

    Returns:
        One statement per option, ``NAME=VALUE (the backbone has VALUE)``.
    """
    units: dict[str, list[str]] = {}
    for name in names:
        match = _PLACE.fullmatch(name)
        stage = int(match[1]) if match else 0
        needed, present = (dict(net.se_of(stage) or {}) for net in (of_weights, of_backbone))
        known = needed.keys() & present.keys()
        if "type" in known:
            known = needed.keys() | present.keys()
        for option in sorted(known):
            if needed.get(option) != present.get(option):
                told = f"se_cfg {option}={needed.get(option)!r}"
                told += f" (the backbone has {present.get(option)!r}) in"
                units.setdefault(told, []).append(name)
    return [f"{told} {stages_of(found)}" for told, found in units.items()]
