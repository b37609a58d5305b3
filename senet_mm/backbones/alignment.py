"""Padding for nets without, so that their maps lie where detectors look for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.func import functional_call

_SIDES = (200, 333)


def pad_valid_layers(net: Any, name: str) -> list[str]:
    """Pad every convolution and pooling that has an odd window and no padding.

    A layer without padding takes half a window off each side of its map, so that the cells of
    Inception-ResNet-v2 at stride 32 are centred on 37, 69, ... pixels, where anchors are on 0,
    32, ..., and the last of them are missing. With half a window of padding, cell i is centred on
    pixel ``stride * i`` and a side of n pixels becomes ceil(n / stride) cells, as in a ResNet.
    Weights are the same, but what they compute changes at the border of each map, and everywhere
    by the shift.

    Args:
        net: The net, which is changed.
        name: What it is called in errors.

    Returns:
        The names of the layers that were padded.

    Raises:
        ValueError: If there are none, or some are out of reach (Inception-v3 pools in its code).
    """
    padded = []
    for layer, module in net.named_modules():
        # subclasses pad in ways of their own, and so does rounding up
        if type(module) in (nn.Conv2d, nn.MaxPool2d) and not getattr(module, "ceil_mode", False):
            window, has_padding = pair(module.kernel_size), module.padding not in (0, (0, 0))
            if not has_padding and max(window) > 1 and all(side % 2 for side in window):
                module.padding = (window[0] // 2, window[1] // 2)
                padded.append(layer)
    if not padded:
        raise ValueError(
            f"TimmBackbone align=True: {name} has no layer without padding, so that its maps are "
            "aligned already; leave align out"
        )
    if not _is_aligned(net):
        raise ValueError(
            f"TimmBackbone align=True: not all layers of {name} can be padded; leave align out"
        )
    return padded


def _is_aligned(net: Any) -> bool:
    """Whether the maps of a feature net have ceil(side / stride) cells; nothing is computed."""
    shapes_alone = {key: value.to("meta") for key, value in net.state_dict().items()}
    images = torch.zeros(2, getattr(net, "in_chans", 3), *_SIDES, device="meta")
    try:
        maps = functional_call(net, shapes_alone, (images,))
    except RuntimeError:  # maps that are joined differ in size
        return False
    return all(
        tuple(map_.shape[-2:]) == tuple(-(-side // stride) for side in _SIDES)
        for map_, stride in zip(maps, net.feature_info.reduction(), strict=True)
    )


def pair(value: Any) -> tuple[Any, Any]:
    """What a layer's option is in height and in width."""
    return (value, value) if isinstance(value, (int, str)) else tuple(value)
