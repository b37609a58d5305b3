"""SE that an ``SEBackbone`` puts behind units, and what its tensors do not tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from torch import nn

from ...layers import SEBlock

# options that leave no trace in a state dict
_HIDDEN = {"squeeze": "avg", "gate": "sigmoid"}


def attached_options(se_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[dict]:
    """The hidden options of SE that a config's ``se_cfg`` says: one of all units, or one per unit.

    Of other modules than SE, which their ``type`` names, there are none.
    """
    listed = [se_cfg] if isinstance(se_cfg, Mapping) else se_cfg
    return [
        {}
        if "type" in cfg and not str(cfg["type"]).endswith(SEBlock.__name__)
        else {name: cfg.get(name, default) for name, default in _HIDDEN.items()}
        for cfg in listed
    ]


def attached_differences(
    stated: Sequence[Mapping[str, Any]], blocks: Mapping[str, nn.Module], given: Collection[str]
) -> list[str]:
    """What must be set so that attached SE computes what its weights were trained for.

    Args:
        stated: What the checkpoint says, as :func:`attached_options`; empty: nothing.
        blocks: The blocks of the backbone, by the name of their unit.
        given: The units whose blocks have weights.

    Returns:
        One statement per option, ``NAME=VALUE (the backbone has VALUE)``.
    """
    if len(stated) == 1:
        stated = [stated[0]] * len(blocks)
    if len(stated) != len(blocks):
        return []  # of other units, which the keys tell
    units: dict[str, list[str]] = {}
    for (unit, block), options in zip(blocks.items(), stated, strict=True):
        if unit not in given or not isinstance(block, SEBlock):
            continue
        for name, value in options.items():
            present = getattr(block.config, name)
            if value != present:
                told = f"se_cfg {name}={value!r} (the backbone has {present!r}) behind"
                units.setdefault(told, []).append(unit)
    return [f"{told} {some(names)}" for told, names in units.items()]


def gates_whole_units(units: object) -> bool:
    """Whether SE is behind residual units of mmdet's ResNets, after their sum."""
    return (
        re.fullmatch(units, "layer1.0") is not None
        if isinstance(units, str)
        else isinstance(units, Collection)
        and any(re.fullmatch(r"layer\d\.\d+", str(name)) for name in units)
    )


def some(names: Sequence[str], number: int = 3) -> str:
    """The first of some names, and how many there are."""
    shown = ", ".join(names[:number])
    return shown if len(names) <= number else f"{shown}, ... ({len(names)} in all)"
