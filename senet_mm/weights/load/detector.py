"""The weights of a whole detector, or of a classifier for one."""

from __future__ import annotations

from mmdet.models.backbones import ResNet
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from ..read.checkpoint import Checkpoint
from ..recognize.backbone import ANCHOR, check_finite, find_backbone
from .match import match_backbone, of_resnet_family
from .report import LoadReport

_BACKBONE = "backbone."


def unwrapped(model: nn.Module) -> nn.Module:
    """A detector without the wrapper of distributed training."""
    return model.get_submodule("module") if is_model_wrapper(model) else model


def backbone_of(model: nn.Module) -> ResNet | None:
    """A detector's backbone, if it is mmdet's ResNet, ResNetV1d or ResNeXt, or one of ours."""
    backbone = getattr(unwrapped(model), "backbone", None)
    return backbone if of_resnet_family(backbone) else None


def match_detector(
    model: nn.Module, checkpoint: Checkpoint, prefix: str | None = None
) -> tuple[dict[str, Tensor], LoadReport | None]:
    """Check that a checkpoint's backbone is a detector's.

    Args:
        model: The detector.
        checkpoint: Of such a detector, or of a classifier.
        prefix: What stands before the detector's names in the checkpoint.

    Returns:
        The whole state dict by the detector's names, and the report on the
        backbone; None where that is not of the ResNet family.

    Raises:
        ValueError: If it is not, or any tensor is not finite.
    """
    check_finite(checkpoint.state_dict, checkpoint.source)
    backbone = backbone_of(model)
    if backbone is None:
        return checkpoint.state_dict, None
    inside = f"{prefix.rstrip('.')}.{_BACKBONE}" if prefix else None
    if inside is None and _BACKBONE + ANCHOR in checkpoint.state_dict:
        inside = _BACKBONE
    weights = find_backbone(checkpoint, inside)
    matched, report = match_backbone(backbone, weights)
    outer = weights.prefix.removesuffix(_BACKBONE)
    whole = {key.removeprefix(outer): checkpoint.state_dict[key] for key in weights.others}
    return whole | {_BACKBONE + name: tensor for name, tensor in matched.items()}, report
