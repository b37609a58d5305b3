"""The weights of a whole detector, or of a classifier for one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from ...layers.attach import plain_of
from ..read.checkpoint import Checkpoint
from ..recognize.backbone import ANCHOR, check_finite, find_backbone
from .complete import check_complete
from .match import match_backbone, of_resnet_family
from .other_nets import match_other
from .report import LoadReport

_BACKBONE = "backbone."
_SE = re.compile(r"^backbone\..*\.se\.fc1\.weight$")


def unwrapped(model: nn.Module) -> nn.Module:
    """A model without the wrappers of distributed training and of test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule("module")
    return model


def backbone_of(model: nn.Module) -> Any:
    """A detector's backbone if its weights are checked, else None.

    It is mmdet's ResNet, ResNetV1d or ResNeXt, or one of ours.
    """
    backbone = getattr(unwrapped(model), "backbone", None)
    ours = of_resnet_family(backbone) or getattr(backbone, "reads_own_checkpoint", False)
    return backbone if ours else None


def complete_weights(model: nn.Module, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """A checkpoint's state dict by a detector's names, with every tensor that it needs.

    Raises:
        ValueError: If the weights are not the detector's, or not all of them are there.
    """
    weights, _ = match_detector(model, checkpoint)
    check_complete(weights, model.state_dict(), checkpoint.source)
    return weights


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
        backbone; None where that is not checked, see :func:`backbone_of`.

    Raises:
        ValueError: If it is not, or any tensor is not finite.
    """
    check_finite(checkpoint.state_dict, checkpoint.source)
    backbone = backbone_of(model)
    if backbone is None:
        check_se_is_kept(model, checkpoint.state_dict, checkpoint.source)
        return checkpoint.state_dict, None
    inside = f"{prefix.rstrip('.')}.{_BACKBONE}" if prefix else None
    net = plain_of(backbone)
    if of_resnet_family(net):
        if inside is None and _BACKBONE + ANCHOR in checkpoint.state_dict:
            inside = _BACKBONE
        weights = find_backbone(checkpoint, inside)
        matched, report = match_backbone(net, weights)
        outer, others = weights.prefix.removesuffix(_BACKBONE), weights.others
    else:
        if inside is None and any(key.startswith(_BACKBONE) for key in checkpoint.state_dict):
            inside = _BACKBONE
        matched, report = match_other(backbone, checkpoint, inside)
        outer, others = (inside or "").removesuffix(_BACKBONE), report.others
    whole = {key.removeprefix(outer): checkpoint.state_dict[key] for key in others}
    return whole | {_BACKBONE + name: tensor for name, tensor in matched.items()}, report


def check_se_is_kept(model: nn.Module, weights: Iterable[str], source: str) -> None:
    """Check that a model has all SE of its checkpoint: mmengine only logs what finds no place.

    Args:
        model: A detector whose backbone nobody checks.
        weights: Names of the checkpoint's tensors.
        source: The checkpoint's name.

    Raises:
        ValueError: Naming the first block that the model has not.
    """
    own = unwrapped(model).state_dict()
    lost = [key for key in weights if _SE.search(key) and key not in own]
    if lost:
        kind = type(getattr(unwrapped(model), "backbone", model)).__name__
        raise ValueError(
            f"checkpoint {source} has SE in {len(lost)} places (first: {lost[0]}) where the "
            f"config's {kind} has none, which would be dropped: use the config that was saved "
            "with it (backbone=dict(type='SEBackbone', ...))"
        )
