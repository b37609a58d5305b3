"""The classifiers that the paper's figures include, and how large the images are that they see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mmdet.models.backbones import ResNet
from mmengine.config import Config
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


def classifier_of(
    backbone: nn.Module, config: str, head: Mapping[str, Any] | None = None
) -> tuple[int, ...] | None:
    """The layers of the classifier on a backbone: a classification config's, else ImageNet's.

    Args:
        backbone: The backbone.
        config: Stem of its config.
        head: What the config says of a classifier of mmpretrain.

    Returns:
        Inputs of its first layer, of the next one, ..., and the classes; None
        where it is not known.
    """
    if head is not None and {"in_channels", "num_classes"} <= head.keys():
        return (head["in_channels"], *head.get("mid_channels", ()), head["num_classes"])
    plain = plain_of(backbone)
    if isinstance(plain, ResNet):
        return plain.inplanes, 1000  # after its construction, the channels of the last stage
    match = _CONFIG.fullmatch(config)
    return _LAYERS.get(match[1]) if match else None


def image_size(cfg: Config) -> tuple[int, int]:
    """Height and width in pixels of a classification config's images, in tests if it says so there.

    Returns:
        Those of its crops; 224 x 224 where it has none, and of other configs.
    """
    if "head" in cfg.model:
        for name in ("test_dataloader", "train_dataloader"):
            steps = (cfg.get(name) or {}).get("dataset", {}).get("pipeline", [])
            for step in reversed(steps):
                if isinstance(step.get("crop_size"), int):
                    return step["crop_size"], step["crop_size"]
    return 224, 224
