"""What a net of the ResNet family computes, as far as its weights depend on it.

Most of it can be read off the shapes of a state dict (:func:`structure`). The rest leaves no trace
there (:class:`Hidden`): with a wrong stride, pooling or gate every tensor fits and the net computes
something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mmdet.models.backbones.resnet import BasicBlock, ResNet
from torch import Tensor

from ...layers import AttentionConfig, SEBlock, SEConfig
from ...layers.attach import attached_se

_RELEASED = SEConfig()  # SE of released weights, as far as a state dict does not record it
_DEPTHS = {
    (block is not BasicBlock, counts): depth
    for depth, (block, counts) in ResNet.arch_settings.items()
}
_UNIT = re.compile(r"layer(\d)\.(\d+)\.conv1\.weight")


@dataclass(frozen=True)
class Hidden:
    """Options that change the function and leave no trace in a state dict.

    Attributes:
        style: ``pytorch`` (stride on the 3x3 convolution) or ``caffe`` (on the first 1x1).
        stem_pool: ``pad`` or ``ceil``, see :class:`senet_mm.SEResNet`.
        se: Those of :class:`senet_mm.layers.SEConfig` per stage; None where a stage has no SE.
            An empty tuple: what released weights have, in every stage.
    """

    style: str = "pytorch"
    stem_pool: str = "pad"
    se: tuple[Mapping[str, Any] | None, ...] = ()

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> Hidden:
        """From the options of a backbone, as a config has them."""
        se_cfg = options.get("se_cfg")
        return cls(
            options.get("style", "pytorch"),
            options.get("stem_pool", "pad"),
            ()
            if se_cfg is None
            else _hidden_of(AttentionConfig.parse(se_cfg, options.get("num_stages", 4))),
        )

    @classmethod
    def of_backbone(cls, backbone: ResNet) -> Hidden:
        """From a backbone of mmdet's ResNet family."""
        stem_pool = "ceil" if backbone.maxpool.ceil_mode else "pad"
        stages = getattr(backbone, "stage_se_cfgs", None) or _behind_units(backbone)
        return cls(backbone.style, stem_pool, _hidden_of(stages))

    def stated(self, options: Mapping[str, Any]) -> Hidden:
        """With what the owner of a bare file says of it.

        Args:
            options: Any of ``style``, ``stem_pool``, and ``se_cfg`` with what a
                state dict does not record of it.

        Raises:
            ValueError: If another option is given, as the tensors tell the rest,
                or a value of ``se_cfg`` is not accepted.
            TypeError: If ``se_cfg`` is no dict.
        """
        se_cfg = options.get("se_cfg", {})
        known = _RELEASED.hidden()
        names = list(se_cfg) if isinstance(se_cfg, Mapping) else []
        other = {*options, *(f"se_cfg.{name}" for name in names)}
        other -= {"style", "stem_pool", "se_cfg", *(f"se_cfg.{name}" for name in known)}
        if other:
            raise ValueError(
                f"--backbone {', '.join(sorted(other))}: expected style, stem_pool or se_cfg."
                f"{{{','.join(known)}}}; the rest is read off the tensors"
            )
        config = SEConfig.of(se_cfg, "--backbone se_cfg")
        stated = {name: getattr(config, name) for name in names}
        return Hidden(
            options.get("style", self.style),
            options.get("stem_pool", self.stem_pool),
            tuple(
                None if stage is None else {**stage, **stated} for stage in self.se or 4 * (known,)
            ),
        )

    def se_of(self, stage: int) -> Mapping[str, Any] | None:
        """The hidden options of SE in a stage (1 is ``layer1``)."""
        return self.se[stage - 1] if self.se else _RELEASED.hidden()


def _behind_units(backbone: ResNet) -> tuple[SEConfig | None, ...]:
    """SE attached behind residual units, after their sum, as the placement that this is."""
    found = {
        int(unit[len("layer")]): replace(
            block.config if isinstance(block, SEBlock) else SEConfig(), placement="post"
        )
        for unit, block in attached_se(backbone).items()
        if unit.count(".") == 1
    }
    return tuple(found.get(stage) for stage in (1, 2, 3, 4)) if found else ()


def _hidden_of(stages: Iterable[SEConfig | None]) -> tuple[Mapping[str, Any] | None, ...]:
    return tuple(None if config is None else config.hidden() for config in stages)


@dataclass(frozen=True)
class Structure:
    """What the shapes of a state dict tell.

    Attributes:
        options: depth (of a net that mmdet does not have, or of a part of one, the numbers of
            units, as ``3-4-6``), stem and width, by the name of the backbone's option.
        se: reduction (or squeeze_channels), bias and identity_init of SE, by residual unit
            (``layer1.0``).
        bottleneck: Whether its units have three convolutions.
    """

    options: dict[str, Any]
    se: dict[str, dict[str, Any]]
    bottleneck: bool


def structure(weights: Mapping[str, Tensor]) -> Structure:
    """Read the shapes of a state dict in our layout.

    Raises:
        ValueError: If a tensor that tells the geometry is no convolution's, or
            a layer of an SE block is missing.
    """
    # the order of keys tells nothing
    units = sorted((int(m[1]), int(m[2])) for m in map(_UNIT.fullmatch, weights) if m)
    counts = tuple(Counter(stage for stage, _ in units).values())
    bottleneck = "layer1.0.conv3.weight" in weights
    deep_stem = "stem.0.weight" in weights
    stem, _ = _channels(weights, "stem.6" if deep_stem else "conv1")
    options = {
        "depth": _DEPTHS.get((bottleneck, counts), "-".join(map(str, counts))),
        "deep_stem": deep_stem,
        "stem_channels": stem,
        "avg_down": any(
            key.endswith("downsample.1.weight") and tensor.ndim == 4
            for key, tensor in weights.items()
        ),
    }
    if bottleneck:
        width, base_width = _channels(weights, "layer1.0.conv2")
        halved = 2 * _channels(weights, "layer1.0.conv1")[0] == width
        options |= {"groups": width // base_width, "base_width": base_width}
        options["type"] = "SENet" if halved else "ResNet or ResNeXt"
        if halved and options["depth"] == 152:
            options["depth"] = 154  # by its authors' count
    se = {}
    for unit in (f"layer{stage}.{index}" for stage, index in units):
        if f"{unit}.se.fc1.weight" in weights:
            hidden, _ = _channels(weights, f"{unit}.se.fc1")
            channels, _ = _channels(weights, f"{unit}.se.fc2")
            size = {"squeeze_channels": hidden}
            if channels % hidden == 0:
                size = {"reduction": channels // hidden}
            se[unit] = size | {
                "bias": f"{unit}.se.fc1.bias" in weights,
                "identity_init": f"{unit}.se.gate_scale" in weights,
            }
    return Structure(options, se, bottleneck)


def _channels(weights: Mapping[str, Tensor], layer: str) -> tuple[int, int]:
    """Output channels of a convolution, and input channels of each of its groups."""
    name = f"{layer}.weight"
    if name not in weights:
        raise ValueError(f"tensor {name} is missing")
    shape = tuple(weights[name].shape)
    if len(shape) != 4 or 0 in shape:
        raise ValueError(f"tensor {name} has shape {shape}, which no convolution has")
    return shape[:2]


def differences(
    weights: Structure, of_weights: Hidden, backbone: Structure, of_backbone: Hidden
) -> list[str]:
    """What must be set so that a backbone computes what its weights were trained for.

    SE that the backbone has and the weights have not is another matter, and not told here.

    Returns:
        One statement per option, ``NAME=VALUE (the backbone has VALUE)``.
    """
    found = [
        _statement(name, value, backbone.options.get(name))
        for name, value in weights.options.items()
        if value != backbone.options.get(name)
    ]
    if weights.bottleneck and of_weights.style != of_backbone.style:
        found.append(_statement("style", of_weights.style, of_backbone.style))
    if of_weights.stem_pool != of_backbone.stem_pool:
        found.append(_statement("stem_pool", of_weights.stem_pool, of_backbone.stem_pool))
    stages: dict[str, list[str]] = {}
    for unit, theirs in weights.se.items():
        stage = int(unit[len("layer")])
        if unit not in backbone.se:
            stages.setdefault("SE (the backbone has none there)", []).append(unit)
            continue
        ours = backbone.se[unit] | dict(of_backbone.se_of(stage) or {})
        for name, value in (theirs | dict(of_weights.se_of(stage) or {})).items():
            if value != ours.get(name):
                stages.setdefault(_statement(name, value, ours.get(name)), []).append(unit)
    found += [f"{statement} in {stages_of(units)}" for statement, units in stages.items()]
    return found


def _statement(name: str, needed: Any, present: Any) -> str:
    if name == "depth" and isinstance(needed, str):  # no value of the option
        return f"stages of {needed} residual units (the backbone has {present})"
    return f"{name}={needed!r} (the backbone has {present!r})"


def stages_of(units: Iterable[str]) -> str:
    """Name the stages of some residual units."""
    return ", ".join(dict.fromkeys(unit.partition(".")[0] for unit in units))
