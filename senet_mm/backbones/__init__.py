"""SE backbones, registered in mmdet's MODELS."""

from .se_resnet import SEResNet
from .se_resnext import SEResNeXt

__all__ = ["SEResNeXt", "SEResNet"]
