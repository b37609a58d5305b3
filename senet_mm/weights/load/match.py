"""Load weights into a backbone, or say why they are not its weights."""

from __future__ import annotations

import logging
import re
from os import PathLike

from mmdet.models.backbones import ResNet, ResNetV1d, ResNeXt
from mmengine.logging import print_log
from torch import Tensor, nn

from ...layers import SEBlock
from ...layers.attach import attached_se, plain_of
from ..read.places import source_name
from ..read.sources import fetch
from ..read.timm_zoo import TIMM, check_network, check_resnet_family
from ..recognize.attached import attached_differences
from ..recognize.attention import attention_differences, other_attention
from ..recognize.backbone import BackboneWeights, find_backbone
from ..recognize.geometry import Hidden, Structure, differences, stages_of, structure
from ..recognize.plugins import plugin_differences, se_plugins
from .other_nets import match_other
from .report import LoadReport

_WAY_OUT = (
    ". The file itself does not say this: if it is your own and needs something else, state that "
    "once, senet-mm convert IN OUT.pth --backbone style=caffe se_cfg.gate=tanh ..."
)
# others that derive from them compute other things (RegNet, Res2Net, TridentNet, ...)
_PLAIN = (ResNet, ResNetV1d, ResNeXt)
_SE = re.compile(r"(.+?)\.se\.")
_STAGE = re.compile(r"layer(\d+)\.")


def of_resnet_family(backbone: object) -> bool:
    """Whether a backbone is mmdet's ResNet, ResNetV1d or ResNeXt, or one of ours like them."""
    return type(backbone) in _PLAIN or hasattr(backbone, "stage_se_cfgs")


def load_weights(
    backbone: nn.Module, source: str | PathLike[str], prefix: str | None = None
) -> LoadReport:
    """Load a checkpoint of any known family into a backbone, and log a report.

    Args:
        backbone: One of the ResNet family, whose geometry is checked, or any
            other, whose tensors are matched by their names.
        source: A file, URL or name, see ``senet_mm.weights.read.sources.fetch``.
        prefix: What stands before the backbone's names in the checkpoint;
            needed only where it has several backbones.

    Returns:
        What was loaded.

    Raises:
        FileNotFoundError, ConnectionError, ImportError: If it cannot be read.
        TypeError: If ``source`` is neither a name nor a path.
        ValueError: If it is no checkpoint, or not of this backbone: another
            geometry, SE that would stay random, or tensors without a place.
    """
    source = source_name(source)
    plain = plain_of(backbone)
    is_resnet = of_resnet_family(plain)
    if source.startswith(TIMM):
        if is_resnet:
            check_resnet_family(source)
        elif hasattr(plain, "model_name"):
            check_network(source, plain.model_name)
    checkpoint = fetch(source)
    if is_resnet:
        tensors, report = match_backbone(plain, find_backbone(checkpoint, prefix))
    else:
        tensors, report = match_other(backbone, checkpoint, prefix)
    backbone.load_state_dict(tensors, strict=False)
    return report


def match_backbone(
    backbone: ResNet, weights: BackboneWeights
) -> tuple[dict[str, Tensor], LoadReport]:
    """Check that weights are those of a backbone.

    Args:
        backbone: One of ours, or mmdet's ResNet or ResNeXt.
        weights: What a checkpoint has.

    Returns:
        The tensors to load by the backbone's names, and the report, which is
        also logged.

    Raises:
        ValueError: If they are not.
    """
    model = backbone.state_dict()
    tensors = {
        name: tensor
        for name, tensor in weights.tensors.items()
        if not _of_higher_stage(name, backbone.num_stages)
    }
    attention = other_attention(backbone)
    in_attention = tuple(f"{name}." for name in attention)
    for name in tensors.keys() & model.keys():
        if name.startswith(in_attention) and (model[name].ndim, tensors[name].ndim) == (2, 4):
            tensors[name] = tensors[name].flatten(1)  # a matrix, read as SE's convolution
    ours, theirs = (
        structure({key: value for key, value in net.items() if not key.startswith(in_attention)})
        for net in (model, tensors)
    )
    lacking = [unit for unit in ours.se if unit not in theirs.se]
    attached = attached_se(backbone)
    behind = {f"{unit}.se": block for unit, block in attached.items() if unit not in ours.se}
    plugins = _plugins(backbone) | behind | attention
    se_blocks = {name: block for name, block in plugins.items() if isinstance(block, SEBlock)}
    # a block is loaded whole: one that has any of its tensors must have all
    trained = [name for name in plugins if any(key.startswith(f"{name}.") for key in tensors)]
    starting = [name for name in se_blocks if name not in trained]
    identity = (
        *(unit for unit in lacking if ours.se[unit]["identity_init"]),
        *(unit for unit in attached if f"{unit}.se" in starting and attached[unit].identity_init),
    )
    new = tuple(
        f"{name}." for name in plugins if name not in trained and _unit_of(name) not in identity
    )
    absent = [name for name in model if name not in tensors]
    fresh = tuple(name for name in absent if name.startswith(new) or ".conv_offset." in name)
    missing = tuple(
        name
        for name in absent
        if name not in fresh
        and _unit_of(name) not in identity
        and not name.endswith("num_batches_tracked")  # not in old files, and of no use here
    )
    matched = tuple(
        name for name in model if name in tensors and tensors[name].shape == model[name].shape
    )
    report = LoadReport(
        source=weights.source,
        family=weights.family.title,
        preprocessing=weights.preprocessing,
        expected=len(model),
        matched=matched,
        renamed=tuple(
            (weights.names[name], name)
            for name in matched
            if weights.names[name] != weights.prefix + name
        ),
        missing=missing,
        mismatched=tuple(
            (name, tuple(tensors[name].shape), tuple(model[name].shape))
            for name in model
            if name in tensors and name not in matched
        ),
        unused=tuple(weights.names[name] for name in tensors if name not in model),
        others=(
            *weights.others,
            *(weights.names[name] for name in weights.tensors if name not in tensors),
        ),
        new=fresh,
        identity=identity,
    )
    hidden = Hidden.of_backbone(backbone)
    needed = differences(theirs, weights.hidden, ours, hidden)
    needed += attention_differences(
        [name for name in trained if name in attention], weights.hidden, hidden
    )
    needed += plugin_differences(
        [name for name in trained if name in se_blocks],
        weights.plugins,
        se_plugins(backbone.plugins, backbone.num_stages),
    )
    needed += attached_differences(
        weights.attached, attached, [unit for unit in attached if f"{unit}.se" in trained]
    )
    random = [unit for unit in lacking if unit not in identity]
    random += [name for name in starting if not se_blocks[name].identity_init]
    problem = _problem(report, backbone, weights, theirs, needed, random)
    if problem:
        print_log(f"weights and backbone differ\n{report.table()}", "current", logging.WARNING)
        raise ValueError(problem)
    print_log(report.line(), "current")
    return {name: tensors[name] for name in matched}, report


def _problem(
    report: LoadReport,
    backbone: ResNet,
    weights: BackboneWeights,
    theirs: Structure,
    needed: list[str],
    random: list[str],
) -> str | None:
    """What is wrong with a load, in one line."""
    start = f"weights {weights.source} ({weights.family.title})"
    kind = type(backbone).__name__
    if needed:
        told = f"{start} are not those of this {kind}: they need {', '.join(needed)}"
        own = (
            not weights.is_stated
            and weights.family.name == "shared"
            and "://" not in weights.source
        )
        hidden = differences(theirs, weights.hidden, theirs, Hidden.of_backbone(backbone))
        return told + (_WAY_OUT if own and hidden else "")
    if random:
        return (
            f"{start} have no SE in {stages_of(random)}, where this {kind} has it: it would stay "
            "random. Give weights of an SE net, or let SE start as the identity: "
            "se_cfg=dict(identity_init=True), of a plugin cfg=dict(identity_init=True)"
        )
    if not report.is_complete:
        return f"{start} are not those of this {kind}: of the tensors {report.differences()}"
    return None


def _of_higher_stage(name: str, num_stages: int) -> bool:
    match = _STAGE.match(name)
    return match is not None and int(match[1]) > num_stages


def _unit_of(name: str) -> str | None:
    """The unit of an SE block or of one of its tensors."""
    match = _SE.match(f"{name}.")
    return match and match[1]


def _plugins(backbone: ResNet) -> dict[str, nn.Module]:
    """The plugins of a backbone by name. No released weights have them."""
    return {
        f"{name}.{plugin}": getattr(unit, plugin)
        for name, unit in backbone.named_modules()
        if getattr(unit, "with_plugins", False)
        for position in (1, 2, 3)
        for plugin in getattr(unit, f"after_conv{position}_plugin_names")
    }
