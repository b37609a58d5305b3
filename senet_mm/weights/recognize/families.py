"""Families of released weights: how each is recognized, named, built and fed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ..read.places import current_name
from . import key_maps, normalization
from .geometry import Hidden, Structure
from .key_maps import Rules
from .normalization import IMAGENET_RGB, Preprocessing


def _standard(structure: Structure) -> Hidden:
    return Hidden()


def _caffe_style(structure: Structure) -> Hidden:
    return Hidden(style="caffe")


def _ported(structure: Structure) -> Hidden:
    """The Caffe models: pooling rounds up, and SE-ResNets stride in their first 1x1."""
    se_resnet = structure.bottleneck and structure.options["groups"] == 1
    hidden = Hidden(style="caffe" if se_resnet else "pytorch", stem_pool="ceil")
    if structure.bottleneck:
        return hidden
    # timm's 18 and 34 have one more ReLU before SE
    return Hidden.of_options(dict(stem_pool="ceil", se_cfg=dict(branch_relu=True)))


@dataclass(frozen=True)
class Family:
    """Weights that are named, built and fed alike.

    Attributes:
        name: Its name here.
        title: What it is.
        marks: A net is of this family if each of these is in some of its keys; ``^`` is the start.
        rules: How its tensors are renamed.
        hidden: The options that its state dicts do not record, from what they do.
        preprocessing: How its images were prepared.
    """

    name: str
    title: str
    marks: tuple[str, ...]
    rules: Rules
    hidden: Callable[[Structure], Hidden] = _standard
    preprocessing: Preprocessing = IMAGENET_RGB

    def has(self, keys: Sequence[str]) -> bool:
        """Whether these are keys of this family."""
        return all(
            any(key.startswith(mark[1:]) if mark[0] == "^" else mark in key for key in keys)
            for mark in self.marks
        )


_LEGACY = Family(
    "legacy",
    "ports of the Caffe SENets: Cadene's, timm's legacy_se*",
    ("^layer0.conv1.", ".se_module."),
    key_maps.LEGACY,
    _ported,
)
_MMPRETRAIN = Family(
    "mmpretrain",
    "mmpretrain (mmcls)",
    (".se_layer.conv1.",),
    key_maps.MMPRETRAIN,
)
_SHARED = Family(
    "shared",
    "the layout of timm, torchvision, mmdet and senet_mm",
    (),
    key_maps.SHARED,
)
# the first that fits; the last fits all
FAMILIES = (
    replace(_LEGACY, name="legacy_deep", marks=("^layer0.conv2.",), rules=key_maps.LEGACY_DEEP),
    _LEGACY,
    replace(
        _MMPRETRAIN,
        name="mmpretrain_v1d",
        marks=("^stem.0.conv.", "layer2.0.downsample.2."),
        rules=key_maps.MMPRETRAIN_V1D,
    ),
    replace(_MMPRETRAIN, name="mmpretrain_deep", marks=("^stem.0.conv.",)),
    _MMPRETRAIN,
    Family(
        "moskomule",
        "moskomule/senet.pytorch",
        (".se.fc.0.",),
        key_maps.MOSKOMULE,
    ),
    Family("timm_deep", "timm's nets with a deep stem", ("^conv1.0.",), key_maps.TIMM_DEEP),
    _SHARED,
)
# nets in the shared layout that only their name tells from others
_NAMED = (
    (
        re.compile(r"detectron/resnet\d+_caffe|resnet50_caffe-788b5fa3|resnet101_caffe-3ad79236"),
        replace(
            _SHARED,
            name="detectron",
            title="Detectron's ResNets",
            hidden=_caffe_style,
            preprocessing=normalization.DETECTRON_BGR,
        ),
    ),
    (
        # their stride is on the 3x3 convolution
        re.compile(r"detectron/resnet\d+_gn|resnet50_gn-9186a21c|resnet101_gn-cac0ab98"),
        replace(
            _SHARED,
            name="detectron_gn",
            title="Detectron's ResNets with group norm",
            preprocessing=normalization.CAFFE_BGR,
        ),
    ),
    (
        re.compile(r"resnet\d+_(caffe|msra)"),
        replace(
            _SHARED,
            name="caffe",
            title="MSRA's ResNets",
            hidden=_caffe_style,
            preprocessing=normalization.CAFFE_BGR,
        ),
    ),
    (
        re.compile(r"detectron2/resnext101_32x8d|resnext101_32x8d-1516f1aa"),
        replace(
            _SHARED,
            name="detectron2_resnext",
            title="detectron2's ResNeXt-101 32x8d",
            preprocessing=normalization.DETECTRON2_RESNEXT_BGR,
        ),
    ),
)
BY_NAME = {family.name: family for family in (*FAMILIES, *(family for _, family in _NAMED))}


def recognize(keys: Iterable[str], source: str) -> Family:
    """The family of a state dict.

    Args:
        keys: Names of its tensors, without a prefix such as ``backbone.``.
        source: The checkpoint's name, which tells nets in Caffe's style from
            torchvision's.
    """
    keys = tuple(keys)
    family = next(family for family in FAMILIES if family.has(keys))
    if family is not _SHARED or any(".se." in key for key in keys):
        return family
    return named_family(source) or family


def named_family(source: str) -> Family | None:
    """The family of plain nets that a checkpoint's name tells, if it does; no folder counts."""
    source = current_name(source)
    scheme, mark, _ = source.partition("://")
    name = source if mark and not scheme.startswith("http") else source.rpartition("/")[2]
    return next((family for pattern, family in _NAMED if pattern.search(name)), None)
