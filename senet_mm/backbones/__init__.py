"""SE backbones and the paper's other networks, registered in mmdet's MODELS."""

from .bn_inception import BNInception
from .cifar import PreActResNet, ShakeResNet, ShakeResNeXt, WideResNet
from .named import create_backbone, list_backbones
from .se_backbone import SEBackbone
from .se_resnet import SEResNet, SEResNetV1d
from .se_resnext import SEResNeXt
from .senet import SENet
from .shufflenet import ShuffleNetV1
from .timm_backbone import TimmBackbone
from .torchvision_body import TorchvisionBody

__all__ = [
    "BNInception",
    "PreActResNet",
    "SEBackbone",
    "SENet",
    "SEResNeXt",
    "SEResNet",
    "SEResNetV1d",
    "ShakeResNeXt",
    "ShakeResNet",
    "ShuffleNetV1",
    "TimmBackbone",
    "TorchvisionBody",
    "WideResNet",
    "create_backbone",
    "list_backbones",
]
