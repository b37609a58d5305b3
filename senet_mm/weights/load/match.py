"""Load weights into a backbone of the ResNet family, or say why they are not its weights."""

from __future__ import annotations

import logging
import re

from mmdet.models.backbones import ResNet, ResNetV1d, ResNeXt
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from ...layers import SEBlock
from ..read.sources import Checkpoint, fetch
from ..recognize.backbone import ANCHOR, Found, check_finite, find_backbone
from ..recognize.geometry import Hidden, Structure, differences, stages_of, structure
from .report import LoadReport

# others that derive from them compute other things (RegNet, Res2Net, TridentNet, ...)
_PLAIN = (ResNet, ResNetV1d, ResNeXt)
_BACKBONE = "backbone."
_WAY_OUT = (
    ". The file itself does not say this: if it is your own and needs something else, state that "
    "once, python tools/convert_weights.py IN OUT.pth --backbone style=caffe se_cfg.gate=tanh ..."
)
_SE = re.compile(r"(layer\d+\.\d+)\.se\.")
_STAGE = re.compile(r"layer(\d+)\.")


def load_weights(backbone: ResNet, source: str, prefix: str | None = None) -> LoadReport:
    """Load a checkpoint of any known family into a backbone, and log a report.

    Args:
        backbone: One of ours, or mmdet's ResNet or ResNeXt.
        source: A file, URL or name, see :func:`senet_mm.weights.read.sources.fetch`.
        prefix: What stands before the backbone's names in the checkpoint;
            needed only where it has several backbones.

    Returns:
        What was loaded.

    Raises:
        FileNotFoundError, ConnectionError, ImportError: If it cannot be read.
        ValueError: If it is no checkpoint, or not of this backbone: another
            geometry, SE that would stay random, or tensors without a place.
    """
    weights, report = fit(backbone, find_backbone(fetch(source), prefix))
    backbone.load_state_dict(weights, strict=False)
    return report


def backbone_of(model: nn.Module) -> ResNet | None:
    """A detector's backbone, if it is mmdet's ResNet, ResNetV1d or ResNeXt, or one of ours."""
    backbone = getattr(detector_of(model), "backbone", None)
    known = type(backbone) in _PLAIN or hasattr(backbone, "stage_se_cfgs")
    return backbone if known else None


def detector_of(model: nn.Module) -> nn.Module:
    """A detector without the wrapper of distributed training."""
    return model.module if is_model_wrapper(model) else model


def fit_detector(
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
    found = find_backbone(checkpoint, inside)
    weights, report = fit(backbone, found)
    outer = found.prefix.removesuffix(_BACKBONE)
    whole = {key.removeprefix(outer): checkpoint.state_dict[key] for key in found.others}
    return whole | {_BACKBONE + name: tensor for name, tensor in weights.items()}, report


def fit(backbone: ResNet, found: Found) -> tuple[dict[str, Tensor], LoadReport]:
    """Check that weights are those of a backbone.

    Args:
        backbone: One of ours, or mmdet's ResNet or ResNeXt.
        found: The weights.

    Returns:
        The tensors to load by the backbone's names, and the report, which is
        also logged.

    Raises:
        ValueError: If they are not.
    """
    model = backbone.state_dict()
    weights = {
        name: tensor
        for name, tensor in found.weights.items()
        if not _of_higher_stage(name, backbone.num_stages)
    }
    ours, theirs = structure(model), structure(weights)
    lacking = [unit for unit in ours.se if unit not in theirs.se]
    identity = tuple(unit for unit in lacking if ours.se[unit]["identity_init"])
    new = _new_modules(backbone)
    absent = [name for name in model if name not in weights]
    fresh = tuple(name for name in absent if name.startswith(tuple(new)) or ".conv_offset." in name)
    missing = tuple(
        name
        for name in absent
        if name not in fresh
        and _unit_of_se(name) not in identity
        and not name.endswith("num_batches_tracked")  # not in old files, and of no use here
    )
    matched = tuple(
        name for name in model if name in weights and weights[name].shape == model[name].shape
    )
    report = LoadReport(
        source=found.source,
        family=found.family.title,
        preprocessing=found.preprocessing,
        expected=len(model),
        matched=matched,
        renamed=tuple(
            (found.names[name], name)
            for name in matched
            if found.names[name] != found.prefix + name
        ),
        missing=missing,
        mismatched=tuple(
            (name, tuple(weights[name].shape), tuple(model[name].shape))
            for name in model
            if name in weights and name not in matched
        ),
        unused=tuple(found.names[name] for name in weights if name not in model),
        others=(
            *found.others,
            *(found.names[name] for name in found.weights if name not in weights),
        ),
        new=fresh,
        identity=identity,
    )
    random = [unit for unit in lacking if unit not in identity]
    random += [
        start.removesuffix(".")
        for start, plugin in new.items()
        if isinstance(plugin, SEBlock)
        and not plugin.identity_init
        and f"{start}fc1.weight" in absent
    ]
    problem = _problem(report, backbone, found, ours, theirs, random)
    if problem:
        print_log(f"weights and backbone differ\n{report.table()}", "current", logging.WARNING)
        raise ValueError(problem)
    print_log(report.line(), "current")
    return {name: weights[name] for name in matched}, report


def _problem(
    report: LoadReport,
    backbone: ResNet,
    found: Found,
    ours: Structure,
    theirs: Structure,
    random: list[str],
) -> str | None:
    """What is wrong with a load, in one line."""
    start = f"weights {found.source} ({found.family.title})"
    kind = type(backbone).__name__
    needed = differences(theirs, found.hidden, ours, Hidden.of_backbone(backbone))
    if needed:
        told = f"{start} are not those of this {kind}: they need {', '.join(needed)}"
        own = not found.stated and found.family.name == "shared" and "://" not in found.source
        hidden = differences(theirs, found.hidden, theirs, Hidden.of_backbone(backbone))
        return told + (_WAY_OUT if own and hidden else "")
    if random:
        return (
            f"{start} have no SE in {stages_of(random)}, where this {kind} has it: it would stay "
            "random. Give weights of an SE net, or let SE start as the identity: "
            "se_cfg=dict(identity_init=True), of a plugin cfg=dict(identity_init=True)"
        )
    if not report.fits:
        counts = [
            (len(report.missing), "missing", report.missing),
            (len(report.mismatched), "of another shape", [key for key, *_ in report.mismatched]),
            (len(report.unused), "without a place", report.unused),
        ]
        told = [f"{count} {what} (first: {names[0]})" for count, what, names in counts if count]
        return f"{start} are not those of this {kind}: of the tensors {', '.join(told)}"
    return None


def _of_higher_stage(name: str, num_stages: int) -> bool:
    match = _STAGE.match(name)
    return match is not None and int(match[1]) > num_stages


def _unit_of_se(name: str) -> str | None:
    match = _SE.match(name)
    return match and match[1]


def _new_modules(backbone: ResNet) -> dict[str, nn.Module]:
    """The plugins of a backbone, which no released weights have, by where their names start."""
    return {
        f"{name}.{plugin}.": getattr(unit, plugin)
        for name, unit in backbone.named_modules()
        if getattr(unit, "with_plugins", False)
        for position in (1, 2, 3)
        for plugin in getattr(unit, f"after_conv{position}_plugin_names")
    }
