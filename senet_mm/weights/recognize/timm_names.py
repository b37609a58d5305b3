"""How TimmBackbone names the tensors of timm's nets, and others' of the same nets."""

from __future__ import annotations

import re

NET = "timm_model."
# timm collects the maps of some nets in a wrapper around them
GETTER, HOOKS = f"{NET}model.", f"{NET}body."

# VGG-16 with batch norm: mmpretrain counts a convolution with its norm and ReLU as one
_VGG16 = dict(
    zip(
        (0, 1, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15, 16),
        (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40),
        strict=True,
    )
)
_MMPRETRAIN_VGG = re.compile(r"features\.(\d+)\.(conv|bn)\.(\w+)")
_MOBILENET_UNIT = re.compile(r"features\.stage(\d)\.unit(\d)\.(dw|pw)_conv\.(conv|bn)\.(\w+)")
_MOBILENET_STEM = {
    "features.init_block.conv.": f"{NET}conv_stem.",
    "features.init_block.bn.": f"{NET}bn1.",
}


def in_net(name: str) -> str:
    """A tensor of a net whose maps timm collects in the net itself."""
    return NET + name


def in_getter(name: str) -> str:
    """A tensor of a net that gives its maps by a method."""
    return GETTER + name


def in_hooks(name: str) -> str:
    """A tensor of a net that gives its maps by hooks."""
    return HOOKS + name


def mmpretrain_vgg16(name: str) -> str:
    """mmpretrain's ``features.1.conv.weight`` is ``features_3.weight``, and ``.bn`` is 4."""
    match = _MMPRETRAIN_VGG.fullmatch(name)
    if match is None or int(match[1]) not in _VGG16:
        return name
    return f"{NET}features_{_VGG16[int(match[1])] + (match[2] == 'bn')}.{match[3]}"


def pytorchcv_mobilenet(name: str) -> str:
    """PyTorchCV's ``features.stage1.unit1.pw_conv.bn.bias`` is ``blocks.0.0.bn2.bias``."""
    match = _MOBILENET_UNIT.fullmatch(name)
    if match is None:
        start = next((start for start in _MOBILENET_STEM if name.startswith(start)), None)
        return name if start is None else _MOBILENET_STEM[start] + name.removeprefix(start)
    stage, unit, depth, layer, tensor = match.groups()
    ours = f"conv_{depth}" if layer == "conv" else f"bn{1 if depth == 'dw' else 2}"
    return f"{NET}blocks.{int(stage) - 1}.{int(unit) - 1}.{ours}.{tensor}"
