"""Write weights of any known family in our layout, or of ResNets back in timm's."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from torch import Tensor

from ..io.files import whole_file
from ..layers.attach import plain_of
from ..version import __version__
from .load.match import match_backbone, of_resnet_family
from .load.other_nets import match_other
from .load.report import LoadReport
from .read.checkpoint import Checkpoint
from .read.file import sha256
from .recognize.backbone import CLASSIFIER, BackboneWeights, check_finite
from .recognize.backbone_config import backbone_config
from .recognize.families import BY_NAME, Family
from .recognize.geometry import differences, structure
from .recognize.key_maps import to_theirs
from .recognize.meta import META_KEY
from .recognize.normalization import Preprocessing
from .recognize.other_families import recognize_other

LAYOUTS = ("senet_mm", "timm")
_CLASSIFIERS = (CLASSIFIER, "last_linear.", f"head.{CLASSIFIER}")


def convert(
    checkpoint: Checkpoint,
    weights: BackboneWeights,
    *,
    to: str = "senet_mm",
    backbone_only: bool = False,
    stated: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], LoadReport]:
    """Rename a checkpoint's tensors, and check them by building the net.

    Args:
        checkpoint: What to convert.
        weights: The backbone in it.
        to: ``senet_mm`` (a classifier stays, as ``fc``; a detector stays whole)
            or ``timm`` (backbone and classifier).
        backbone_only: Leave classifier, neck and heads out.
        stated: Options of the backbone that a bare file does not tell, see
            :meth:`senet_mm.weights.recognize.geometry.Hidden.stated`.

    Returns:
        A checkpoint with ``state_dict`` and ``meta``: where it comes from, the
        backbone's config and the preprocessing. Of the old ``meta`` plain data
        are kept.

    Raises:
        ValueError: If the weights are not those of a net that we or mmdet
            build, a tensor is not finite, the file itself tells what is stated,
            or timm has no net that computes the same.
    """
    check_finite(checkpoint.state_dict, checkpoint.source)
    if stated:
        if weights.is_stated:
            raise ValueError(f"{weights.source} says itself what its backbone is: no --backbone")
        weights = replace(weights, hidden=weights.hidden.stated(stated))
    config = backbone_config(weights)
    _, report = match_backbone(MODELS.build(config), weights)
    meta = _origin(weights.source, weights.family.name, config, weights.preprocessing)
    others = {} if backbone_only else {key: checkpoint.state_dict[key] for key in weights.others}
    classifier = _classifier(others)
    if to == "timm":
        rules = _timm_layout(weights).rules
        tensors = {
            to_theirs(key, rules): value for key, value in (weights.tensors | classifier).items()
        }
        return {"state_dict": tensors, "meta": {META_KEY: meta}}, report
    prefix = weights.prefix if len(others) > len(classifier) else ""  # a detector stays whole
    state_dict = {prefix + name: tensor for name, tensor in weights.tensors.items()}
    state_dict |= others if prefix else classifier
    kept = {} if backbone_only else plain_data(checkpoint.meta)
    return {"state_dict": state_dict, "meta": kept | {META_KEY: meta}}, report


def convert_other(
    checkpoint: Checkpoint,
    config: Mapping[str, Any],
    *,
    prefix: str | None = None,
    backbone_only: bool = False,
) -> tuple[dict[str, Any], LoadReport]:
    """Rename the tensors of a net outside the ResNet family, which its tensors do not tell.

    Args:
        checkpoint: What to convert.
        config: The backbone that the weights are for.
        prefix: What stands before the backbone's names; needed only where the
            checkpoint has several.
        backbone_only: Leave classifier, neck and heads out.

    Returns:
        As :func:`convert`. Other parts keep their names, and the backbone's
        tensors what stood before theirs.

    Raises:
        ValueError: If the weights are not those of the backbone, or it is of the
            ResNet family, whose geometry :func:`convert` finds out.
    """
    backbone = MODELS.build(dict(config))
    if of_resnet_family(plain_of(backbone)):
        raise ValueError(
            f"the config's backbone is a {type(backbone).__name__}, of the ResNet family, whose "
            "weights are converted without a config: leave --config out"
        )
    tensors, report = match_other(backbone, checkpoint, prefix)
    family, start = recognize_other(
        checkpoint.state_dict, backbone.state_dict(), checkpoint.source, prefix
    )
    meta = _origin(checkpoint.source, family.name, _without_weights(config), report.preprocessing)
    kept = {} if backbone_only else plain_data(checkpoint.meta)
    others = () if backbone_only else report.others
    start = start if others else ""
    state_dict = {start + name: tensor for name, tensor in tensors.items()}
    state_dict |= {key: checkpoint.state_dict[key] for key in others}
    return {"state_dict": state_dict, "meta": kept | {META_KEY: meta}}, report


def _without_weights(config: Mapping[str, Any]) -> dict[str, Any]:
    """A backbone's config that names no weights, and neither does a config in it."""
    return {
        key: _without_weights(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if key != "init_cfg"
    }


def _origin(
    source: str, family: str, config: Mapping[str, Any], images: Preprocessing | None
) -> dict[str, Any]:
    """What a converted file says of itself."""
    meta = {
        "version": __version__,
        "source": _public_name(source),
        "family": family,
        "backbone": plain_data(config),
        "preprocessing": images and asdict(images),
    }
    if Path(source).is_file():
        meta["source_sha256"] = sha256(source)
    return meta


def write(checkpoint: Mapping[str, Any], out: str | Path, *, force: bool = False) -> Path:
    """Write a checkpoint, all or nothing, with the start of its sha256 in its name.

    Args:
        checkpoint: What to write.
        out: ``FOLDER/NAME.pth``; the file is ``FOLDER/NAME-{sha256[:8]}.pth``.
        force: Replace a file of that name.

    Returns:
        Path of the file.

    Raises:
        ValueError: If ``out`` does not end in .pth.
        FileExistsError: If the file is there already.
        OSError: If it cannot be written.
    """
    out = Path(out)
    if out.suffix != ".pth":
        raise ValueError(f"{out}: expected a name that ends in .pth")
    buffer = io.BytesIO()
    torch.save(dict(checkpoint), buffer)
    content = buffer.getbuffer()
    path = out.with_name(f"{out.stem}-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists already: --force replaces it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            unfinished.write_bytes(content)
    except OSError as error:
        raise OSError(f"cannot write {path} ({error.strerror})") from error
    return path


def _timm_layout(weights: BackboneWeights) -> Family:
    """timm's family that computes what the weights were trained for."""
    shapes = structure(weights.tensors)
    if any(unit["identity_init"] for unit in shapes.se.values()):
        raise ValueError(f"{weights.source} has identity_init=True, which no net of timm computes")
    deep = shapes.options["deep_stem"]
    for name in ("timm_deep", "legacy_deep") if deep else ("shared", "legacy"):
        family = BY_NAME[name]
        needed = differences(shapes, weights.hidden, shapes, family.hidden(shapes))
        if not needed:
            return family
    raise ValueError(f"no net of timm computes what {weights.source} needs: {', '.join(needed)}")


def _classifier(others: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The classifier by our names."""
    return {
        CLASSIFIER + key.rpartition(".")[2]: tensor
        for key, tensor in others.items()
        if key.startswith(_CLASSIFIERS)
    }


_DROPPED = object()


def plain_data(value: Any) -> Any:
    """Plain data of a checkpoint's meta, so that what is written can be read without code."""
    if isinstance(value, Mapping):
        items = {
            key: plain_data(item) for key, item in value.items() if isinstance(key, (str, int))
        }
        return {key: item for key, item in items.items() if item is not _DROPPED}
    if isinstance(value, (list, tuple)):
        listed = [plain_data(item) for item in value]
        whole = all(item is not _DROPPED for item in listed)
        return (tuple(listed) if isinstance(value, tuple) else listed) if whole else _DROPPED
    return value if type(value) in (str, int, float, bool, type(None)) else _DROPPED


def _public_name(source: str) -> str:
    """A file's name without its folder, which is nobody's business."""
    return source if "://" in source else Path(source).name
