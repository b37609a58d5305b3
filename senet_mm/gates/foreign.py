"""SE blocks, and attention like them, of other libraries, and where their gates come out."""

from __future__ import annotations

from torch import nn

# the sub-module that returns the gates, by the class of the block; none of them is imported
_GATES: dict[str, str | None] = {
    "timm.layers.squeeze_excite.SEModule": "gate",
    "timm.layers.squeeze_excite.EffectiveSEModule": "gate",
    "timm.layers.eca.EcaModule": "gate",
    "timm.layers.eca.CecaModule": "gate",
    "timm.layers.gather_excite.GatherExcite": "gate",
    "timm.layers.cbam.ChannelAttn": "gate",
    "timm.layers.cbam.LightChannelAttn": None,  # in its code, though it has such a sub-module
    "timm.models._efficientnet_blocks.SqueezeExcite": "gate",
    "timm.models.senet.SEModule": "sigmoid",
    "torchvision.ops.misc.SqueezeExcitation": "scale_activation",
    "mmdet.models.layers.se_layer.SELayer": "conv2",
    "mmpretrain.models.utils.se_layer.SELayer": "conv2",
}


def gate_of(module: nn.Module) -> str | None:
    """What the sub-module that returns a block's gates is called; None if it is no such block."""
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(module).__mro__)
    return next((_GATES[name] for name in names if name in _GATES), None)
