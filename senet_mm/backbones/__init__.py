"""SE backbones, registered in mmdet's MODELS."""

from .se_backbone import SEBackbone
from .se_resnet import SEResNet, SEResNetV1d
from .se_resnext import SEResNeXt
from .senet import SENet

__all__ = ["SEBackbone", "SENet", "SEResNeXt", "SEResNet", "SEResNetV1d"]
