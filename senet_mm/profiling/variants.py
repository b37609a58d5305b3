"""The nets whose speed is compared: plain, SE in every way at hand, and what others offer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from mmengine.config import Config
from mmengine.model.efficient_conv_bn_eval import turn_on_efficient_conv_bn_eval
from torch import Tensor, nn

from ..compat.packaged_configs import config_path
from ..layers import SEBlock
from .complexity import build_backbone, build_detector

BASELINE = "plain"
_PLUGIN = dict(cfg=dict(type="SEBlock"), position="after_conv3")
# backbone configs by variant; those that end in FOLDED run under mmengine's
# efficient_conv_bn_eval, which folds batch norm with fixed statistics into the convolution
FOLDED = " + conv-bn folding"
_BACKBONES: dict[str, dict[str, Any]] = {
    BASELINE: dict(type="ResNet"),
    "SE reference": dict(type="SEResNet", se_cfg=dict(fused=False)),
    "SE fused": dict(type="SEResNet"),
    "mmdet + SEBlock plugin": dict(type="ResNet", plugins=[_PLUGIN]),
    BASELINE + FOLDED: dict(type="ResNet"),
    "SE fused" + FOLDED: dict(type="SEResNet"),
}
_TIMM = {"timm plain": "resnet{}", "timm SE": "seresnet{}"}
_OPEN = 20.0  # the sigmoid of this is 1, to float32's last digit but one
# what the first convolution, its norm and the first stage are called
_FROZEN = ("conv1", "bn1", "layer1")


@dataclass(frozen=True)
class Policy:
    """How batch norm and the first layers are trained.

    Attributes:
        frozen: True: mmdet's policy for detection, fixed statistics everywhere, stem and first
            stage frozen. False: batch norm in training, nothing frozen.
    """

    frozen: bool

    def apply(self, net: nn.Module, *, training: bool) -> None:
        """Put a net into this policy's mode of training, or of inference."""
        net.train(training)
        for module in net.modules():
            if self.frozen and isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        backbone = getattr(net, "backbone", net)
        for name in _FROZEN if self.frozen else ():
            for parameter in getattr(backbone, name).parameters():
                parameter.requires_grad_(False)


def variant_names(part: str, *, depth: int, frozen: bool) -> list[str]:
    """The variants that can be built: of a detector none of timm's; folding needs fixed statistics.

    Args:
        part: ``backbone`` or ``detector``.
        depth: Depth of the ResNet.
        frozen: Whether the statistics of batch norm are fixed.
    """
    names = list(_BACKBONES)
    if depth < 50:
        names.remove("mmdet + SEBlock plugin")  # mmdet's basic block takes no plugins
    if not frozen:
        names = [name for name in names if FOLDED not in name]
    if part == "backbone" and _timm() is not None:
        names += list(_TIMM)
    return names


def build_variant(name: str, part: str, *, depth: int, seed: int = 0) -> nn.Module:
    """Build a net with seeded random weights.

    All but timm's have the same weights, and gates that are open, so that they
    compute the same: a detector's time depends on what it proposes.

    Args:
        name: One of :func:`variant_names`.
        part: ``backbone`` or ``detector`` (Faster R-CNN with FPN).
        depth: Depth of the ResNet.
        seed: Seed of the weights.
    """
    torch.manual_seed(seed)
    if name in _TIMM:
        return _timm().create_model(_TIMM[name].format(depth), pretrained=False)
    plain = _build(_BACKBONES[BASELINE], part, depth)
    net = _build(_BACKBONES[name], part, depth)
    net.load_state_dict(plain.state_dict(), strict=False)
    open_gates(net)
    return net


def open_gates(net: nn.Module) -> None:
    """Let every SE block pass its map on as it is, if it can."""
    for module in net.modules():
        if isinstance(module, SEBlock) and module.config.bias and not module.identity_init:
            nn.init.zeros_(module.fc2.weight)
            nn.init.constant_(module.fc2.get_parameter("bias"), _OPEN)


def _build(cfg: dict[str, Any], part: str, depth: int) -> nn.Module:
    cfg = copy.deepcopy(cfg) | dict(depth=depth, norm_eval=False)
    if part == "backbone":
        return build_backbone(Config(dict(model=dict(backbone=cfg))))
    detector = Config.fromfile(config_path("faster_rcnn_r50_fpn.py"))
    detector.model.backbone = cfg
    if depth < 50:
        detector.model.neck.in_channels = [64, 128, 256, 512]
    return build_detector(detector)


def finish(name: str, net: nn.Module, part: str) -> None:
    """What a variant needs after its statistics are set and its mode is chosen."""
    if FOLDED in name:
        holder = net if part == "detector" else nn.ModuleDict({"backbone": net})
        turn_on_efficient_conv_bn_eval(holder, "backbone")


def forward_of(name: str, net: nn.Module) -> Callable[[Tensor], Any]:
    """The maps of a backbone's four stages, or of timm's last."""
    return cast(Callable[[Tensor], Any], net.forward_features) if name in _TIMM else net


def settle(net: nn.Module, forward: Callable[[Tensor], Any], images: Tensor) -> None:
    """Set the statistics of batch norm to those of some images, so that no map overflows."""
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    with torch.no_grad():
        forward(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _timm() -> Any:
    """timm, or None where it is not installed."""
    try:
        import timm
    except ImportError:
        return None
    return timm
