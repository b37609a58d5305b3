"""The classifiers that backbones have lost, which the paper's figures include."""

from __future__ import annotations

import re

from mmdet.models.backbones import ResNet
from torch import nn

from ..layers.attach import plain_of

# inputs of the first layer, of the next one, ..., and the classes, by the net in a config's name
_LAYERS = {
    "vgg16_bn": (7 * 7 * 512, 4096, 4096, 1000),
    "bn_inception": (1024, 1000),
    "inception_resnet_v2": (1536, 1000),
    "mobilenet": (1024, 1000),
    "shufflenet": (960, 1000),
}
_CONFIG = re.compile(r"faster_rcnn_(?:se_)?(\w+)_fpn")


def classifier_of(backbone: nn.Module, config: str) -> tuple[int, ...] | None:
    """The layers of ImageNet's classifier on a backbone.

    Args:
        backbone: The backbone.
        config: Stem of its config.

    Returns:
        Inputs of its first layer, of the next one, ..., and the classes; None
        where it is not known.
    """
    plain = plain_of(backbone)
    if isinstance(plain, ResNet):
        return plain.inplanes, 1000  # after its construction, the channels of the last stage
    match = _CONFIG.fullmatch(config)
    return _LAYERS.get(match[1]) if match else None
