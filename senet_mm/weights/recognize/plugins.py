"""SE blocks among the ``plugins`` of mmdet's ResNets, and what their tensors do not tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmcv.cnn.bricks.plugin import infer_abbr

from ...layers import SEBlock
from .geometry import stages_of

# options that leave no trace in a state dict, and what a file has that does not say
_HIDDEN = {"squeeze": "avg", "gate": "sigmoid"}
_UNIT = re.compile(r"layer(\d+)\.\d+\.(.+)")

# by the number of the stage (1 is ``layer1``) and the plugin's name in its units
SEPlugins = Mapping[tuple[int, str], Mapping[str, Any]]


def se_plugins(plugins: Sequence[Mapping[str, Any]] | None, num_stages: int = 4) -> SEPlugins:
    """The hidden options of SE blocks among the ``plugins`` of a backbone's config."""
    found: dict[tuple[int, str], Mapping[str, Any]] = {}
    for plugin in plugins or ():
        cfg = plugin["cfg"]
        kind = cfg["type"] if isinstance(cfg["type"], str) else cfg["type"].__name__
        if kind.rpartition(".")[2] != SEBlock.__name__:
            continue
        name = f"{infer_abbr(SEBlock)}{cfg.get('postfix', '')}"
        options = {option: cfg.get(option, value) for option, value in _HIDDEN.items()}
        stages = plugin.get("stages") or (True,) * num_stages
        found |= {(stage, name): options for stage, is_in in enumerate(stages, 1) if is_in}
    return found


def plugin_differences(
    blocks: Iterable[str], of_weights: SEPlugins, of_backbone: SEPlugins
) -> list[str]:
    """What must be set so that SE plugins compute what their weights were trained for.

    Args:
        blocks: The SE plugins that have weights (``layer3.0.se_block``).
        of_weights: What the checkpoint says of them.
        of_backbone: What the backbone's config says.

    Returns:
        One statement per option, ``NAME=VALUE (the backbone has VALUE)``.
    """
    units: dict[str, list[str]] = {}
    for block in blocks:
        match = _UNIT.fullmatch(block)
        place = (int(match[1]), match[2]) if match else (0, block)
        needed, present = of_weights.get(place, _HIDDEN), of_backbone.get(place, _HIDDEN)
        for name, value in needed.items():
            if value != present[name]:
                told = f"{name}={value!r} (the backbone has {present[name]!r}) in plugins of"
                units.setdefault(told, []).append(block)
    return [f"{statement} {stages_of(names)}" for statement, names in units.items()]
