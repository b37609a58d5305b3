"""The paper's networks for CIFAR (Tables 4 and 5), for images of 32x32."""

from .preact_resnet import PreActResNet, WideResNet
from .shake_resnet import ShakeResNet, ShakeResNeXt

__all__ = ["PreActResNet", "ShakeResNeXt", "ShakeResNet", "WideResNet"]
