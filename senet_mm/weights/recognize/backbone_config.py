"""The config of the backbone that some weights are of."""

from __future__ import annotations

from typing import Any

from ...layers import SEConfig
from .backbone import BackboneWeights
from .geometry import Structure, structure

_DEFAULTS = {
    "deep_stem": False,
    "avg_down": False,
    "stem_channels": 64,
    "style": "pytorch",
    "stem_pool": "pad",
}


def backbone_config(weights: BackboneWeights) -> dict[str, Any]:
    """What a detector's config must say as ``backbone``, defaults left out.

    Raises:
        ValueError: If mmdet and senet_mm have no backbone of that depth or with
            such SE.
    """
    net = structure(weights.tensors)
    if not isinstance(net.options["depth"], int):
        raise ValueError(
            f"{weights.source} has stages of {net.options['depth']} residual units: no backbone of "
            "mmdet or senet_mm does"
        )
    config = {"type": _type_of(net), "depth": net.options["depth"]}
    if net.options.get("groups", 1) > 1 and net.options["type"] != "SENet":
        config |= {name: net.options[name] for name in ("groups", "base_width")}
    options = net.options | {"style": weights.hidden.style, "stem_pool": weights.hidden.stem_pool}
    defaults = _DEFAULTS
    if net.options.get("type") == "SENet":
        defaults = _DEFAULTS | {"deep_stem": True, "stem_channels": 128}
    config |= {name: options[name] for name in defaults if options[name] != defaults[name]}
    if net.se:
        config["se_cfg"] = _se_cfg(net, weights)
    return config


def _type_of(net: Structure) -> str:
    if net.options.get("type") == "SENet":
        return "SENet"
    return ("SE" if net.se else "") + ("ResNeXt" if net.options.get("groups", 1) > 1 else "ResNet")


def _se_cfg(
    net: Structure, weights: BackboneWeights
) -> dict[str, Any] | list[dict[str, Any] | None] | None:
    """One dict for all stages where they agree, else one per stage."""
    stages = [_stage_se_cfg(net, weights, stage) for stage in (1, 2, 3, 4)]
    return stages[0] if all(stage == stages[0] for stage in stages) else stages


def _stage_se_cfg(net: Structure, weights: BackboneWeights, stage: int) -> dict[str, Any] | None:
    start = f"layer{stage}."
    units = {int(unit[len(start) :]): se for unit, se in net.se.items() if unit.startswith(start)}
    if not units:
        return None
    cfgs = [se | dict(weights.hidden.se_of(stage) or {}) for se in units.values()]
    if any(cfg != cfgs[0] for cfg in cfgs):
        raise ValueError(f"{weights.source} has SE in layer{stage} that differs within the stage")
    num_units = len({key.split(".")[1] for key in weights.tensors if key.startswith(start)})
    config = SEConfig(**cfgs[0], blocks=None if len(units) == num_units else tuple(units))
    said = config.changed()
    # be it the default
    return said if config.squeeze_channels else {"reduction": config.reduction} | said
