"""Load weights into a net outside the ResNet family, or say why they are not its weights."""

from __future__ import annotations

import logging

from mmengine.logging import print_log
from torch import Tensor, nn

from ...layers import SEBlock
from ...layers.attach import attached_se, plain_of
from ..read.checkpoint import Checkpoint
from ..recognize.attached import attached_differences, some
from ..recognize.backbone import check_finite, check_types
from ..recognize.meta import read_meta
from ..recognize.normalization import rgb
from ..recognize.other_families import OtherFamily, recognize_other
from .report import LoadReport


def match_other(
    backbone: nn.Module, checkpoint: Checkpoint, prefix: str | None = None
) -> tuple[dict[str, Tensor], LoadReport]:
    """Check that a checkpoint is of a backbone, by the names and shapes of its tensors.

    Args:
        backbone: Any net.
        checkpoint: Of such a net, alone or as a part of another, such as a detector.
        prefix: What stands before the backbone's names in the checkpoint.

    Returns:
        The tensors to load by the backbone's names, and the report, which is
        also logged.

    Raises:
        ValueError: If a tensor is missing, has another shape, has no place, or
            is not finite, or SE would stay random.
    """
    model = backbone.state_dict()
    source = checkpoint.source
    family, prefix = recognize_other(checkpoint.state_dict, model, source, prefix)
    names = {
        family.ours(key[len(prefix) :], model): key
        for key in checkpoint.state_dict
        if key.startswith(prefix)
    }
    here = {
        name: key
        for name, key in names.items()
        if name in model or not _of_other_part(backbone, family, name)
    }
    found = {key: checkpoint.state_dict[key] for key in here.values()}
    check_types(found, source)
    check_finite(found, source)
    tensors = family.convert({name: found[key] for name, key in here.items()})
    se_blocks = {name: m for name, m in backbone.named_modules() if isinstance(m, SEBlock)}
    # a block is loaded whole: one that has any of its tensors must have all
    lacking = {
        name: block
        for name, block in se_blocks.items()
        if not any(key.startswith(f"{name}.") for key in tensors)
    }
    without_se = tuple(f"{name}." for name in lacking)
    attached = attached_se(backbone)
    # what starts in other attention is nothing to be told from here
    new = tuple(
        f"{unit}.se."
        for unit, block in attached.items()
        if not isinstance(block, SEBlock)
        and not any(key.startswith(f"{unit}.se.") for key in tensors)
    )
    matched = tuple(
        name for name in model if name in tensors and tensors[name].shape == model[name].shape
    )
    taken = set(here.values())
    stated = read_meta(checkpoint.meta)
    of_source = checkpoint.rgb_statistics and rgb(*checkpoint.rgb_statistics)
    report = LoadReport(
        source=source,
        family=family.title,
        preprocessing=stated.preprocessing
        or of_source
        or family.preprocessing
        or getattr(backbone, "preprocessing", None),
        expected=len(model),
        matched=matched,
        renamed=tuple(
            (here[name], name) for name in matched if name in here and here[name] != prefix + name
        ),
        missing=tuple(
            name
            for name in model
            if name not in tensors
            and not name.startswith((*without_se, *new))
            and not name.endswith("num_batches_tracked")  # not in old files, and of no use here
        ),
        mismatched=tuple(
            (name, tuple(tensors[name].shape), tuple(model[name].shape))
            for name in model
            if name in tensors and name not in matched
        ),
        unused=tuple(here.get(name, name) for name in tensors if name not in model),
        others=tuple(key for key in checkpoint.state_dict if key not in taken),
        new=tuple(name for name in model if name.startswith(new)),
        identity=tuple(_unit_of(name) for name, block in lacking.items() if block.identity_init),
    )
    random = [_unit_of(name) for name, block in lacking.items() if not block.identity_init]
    given = [unit for unit in attached if f"{unit}.se" not in lacking]
    needed = attached_differences(stated.attached, attached, given)
    problem = _problem(report, type(plain_of(backbone)).__name__, needed, random)
    if problem:
        print_log(f"weights and backbone differ\n{report.table()}", "current", logging.WARNING)
        raise ValueError(problem)
    print_log(report.line(), "current")
    return {name: tensors[name] for name in matched}, report


def _of_other_part(backbone: nn.Module, family: OtherFamily, name: str) -> bool:
    """Whether a tensor is of a part that the backbone does not have, such as a classifier."""
    left_out = getattr(backbone, "left_out", None)
    if left_out is not None and left_out(name):
        return True
    if not name.startswith(family.root):
        return True
    net = backbone.get_submodule(family.root.removesuffix("."))
    child, dot, _ = name[len(family.root) :].partition(".")
    return bool(dot) and child not in net._modules


def _problem(report: LoadReport, kind: str, needed: list[str], random: list[str]) -> str | None:
    """What is wrong with a load, in one line."""
    start = f"weights {report.source} ({report.family})"
    if not report.is_complete:
        return f"{start} are not those of this {kind}: of the tensors {report.differences()}"
    if needed:
        return f"{start} are not those of this {kind}: they need {', '.join(needed)}"
    if random:
        return (
            f"{start} have no SE in {some(random)}, where this {kind} has it: it would stay "
            "random. Give weights of an SE net, or let SE start as the identity: "
            "se_cfg=dict(identity_init=True)"
        )
    return None


def _unit_of(block: str) -> str:
    return block.rpartition(".")[0]
