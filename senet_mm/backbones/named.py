"""The networks of this package by name, for Python without configs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from os import PathLike
from typing import Any

from mmdet.registry import MODELS

from ..io.near_names import nearest
from ..weights.read.places import source_name
from .arguments import check_names
from .features import BackboneMixin
from .se_backbone import SEBackbone
from .se_resnet import SEResNet, SEResNetV1d
from .se_resnext import SEResNeXt
from .senet import SENet

_OF_SE_BACKBONE = ("units", "se_cfg", "input_shape", "init_cfg")
# the paper's other networks, and those for images of 32x32: what they are, and where SE stands
_BRANCH = r"stage\d\.\d+\.branch"
_AROUND: Mapping[str, tuple[dict[str, Any], str]] = {
    "se_bn_inception": (dict(type="BNInception"), r"inception_\d\w"),
    "se_inception_resnet_v2": (
        dict(type="TimmBackbone", model_name="inception_resnet_v2", align=True),
        r"timm_model\.(repeat\w*\.\d+|block8)\.conv2d",
    ),
    "se_mobilenet": (
        dict(type="TimmBackbone", model_name="mobilenetv1_100"),
        r"timm_model\.blocks\.\d\.\d\.bn2",
    ),
    "se_shufflenet": (dict(type="ShuffleNetV1"), r"layers\.\d\.\d\.g_conv_1x1_expand"),
    "se_vgg16_bn": (
        dict(type="TimmBackbone", model_name="vgg16_bn"),
        r"timm_model\.features_(2|5|9|12|16|19|22|26|29|32|36|39|42)",
    ),
    "se_resnet110_cifar": (dict(type="PreActResNet", depth=110, shortcut="zero"), _BRANCH),
    "se_resnet164_cifar": (dict(type="PreActResNet", depth=164, bottleneck=True), _BRANCH),
    "se_wrn16_8_cifar": (dict(type="WideResNet", depth=16, widen_factor=8), _BRANCH),
    "se_shake_resnet26_2x96d_cifar": (
        dict(type="ShakeResNet", depth=26, base_channels=96),
        rf"{_BRANCH}\d",
    ),
    "se_shake_resnext29_2x4x64d_cifar": (
        dict(type="ShakeResNeXt", depth=29, groups=4, base_width=64),
        rf"{_BRANCH}\d",
    ),
}


def create_backbone(
    name: str, *, weights: str | PathLike[str] | None = None, **options: Any
) -> BackboneMixin:
    """Build a backbone by its name, initialize it, and load weights into it.

    Args:
        name: One of :func:`list_backbones`. Underscores, hyphens and case do not count, so that
            timm's ``seresnet50`` and ``se_resnet_50`` are ``se_resnet50``.
        weights: A file, URL or name (``timm://seresnet50.ra2_in1k``), see
            :func:`senet_mm.weights.load_weights`, which checks them. By default the backbone is
            initialized for a training from scratch.
        **options: What the class of the backbone takes: ``out_indices``, ``frozen_stages``,
            ``norm_cfg``, ``se_cfg``, ... Batch norm follows ``train()``; with ``norm_eval=True``,
            mmdet's default, it keeps its statistics.

    Returns:
        The backbone in training mode, which makes a tuple of maps of images (N, 3, H, W).
        ``channels`` and ``strides`` tell theirs, and ``load_report`` what was loaded.

    Raises:
        ValueError, TypeError: If there is no such backbone, an option is not accepted, or the
            weights are not the backbone's.
        FileNotFoundError, ConnectionError, ImportError: If weights cannot be read, or timm, which
            some backbones are built by, is missing.

    Example:
        >>> create_backbone("seresnet50", out_indices=(1, 2, 3)).channels
        [512, 1024, 2048]
    """
    known = {_without_marks(own): own for own in _BACKBONES}
    own = known.get(_without_marks(name))
    if own is None:
        raise ValueError(_unknown(name))
    if own not in _AROUND and isinstance(options.get("pretrained"), bool):
        raise ValueError(
            f"pretrained={options['pretrained']}: expected weights='timm://NAME', which says whose "
            "they are, or nothing for a training from scratch"
        )
    options = {"norm_eval": False} | options
    if weights is not None:
        if "init_cfg" in options:
            raise ValueError("create_backbone takes weights or init_cfg, not both")
        options["init_cfg"] = dict(type="Pretrained", checkpoint=source_name(weights))
    backbone = _BACKBONES[own](**options)
    backbone.init_weights()
    return backbone


def list_backbones(pattern: str = "*") -> list[str]:
    """The names that :func:`create_backbone` takes, as this package writes them.

    Args:
        pattern: Which of them, in the shell's manner: ``"se_resnext*"``.
    """
    return [name for name in _BACKBONES if fnmatchcase(name, pattern)]


def _unknown(name: str) -> str:
    """The line for a name that no backbone has, which timm's names of weights and nets may be."""
    net, dot, _ = name.partition(".")
    if dot and _without_marks(net) in map(_without_marks, list_backbones()):
        meant = f"create_backbone({net!r}, weights='timm://{name}')"
        return f"there is no backbone {name!r}, these are weights: {meant}"
    near = nearest(name.lower(), list_backbones())
    return f"there is no backbone {name!r}{near}; senet_mm.list_backbones() lists all"


def _without_marks(name: str) -> str:
    return re.sub(r"[-_]", "", name).lower()


def _around(plain: Mapping[str, Any], units: str, side: int, **options: Any) -> SEBackbone:
    """A plain backbone with SE behind its units; weights are those of the whole."""
    check_names(MODELS.get(plain["type"]), [key for key in options if key not in _OF_SE_BACKBONE])
    given = {key: options.pop(key) for key in _OF_SE_BACKBONE if key in options}
    own = dict(units=units, input_shape=(1, 3, side, side)) | given
    return SEBackbone({**plain, **options}, **own)


def _table() -> dict[str, Callable[..., BackboneMixin]]:
    """What builds each backbone."""
    table: dict[str, Callable[..., BackboneMixin]] = {}
    depths = (18, 34, 50, 101, 152)
    for depth in depths:
        table[f"se_resnet{depth}"] = partial(SEResNet, depth)
    for depth in depths:
        table[f"se_resnet{depth}d"] = partial(SEResNetV1d, depth)
    for depth, groups, width in ((50, 32, 4), (101, 32, 4), (101, 32, 8), (101, 64, 4)):
        build = partial(SEResNeXt, depth, groups=groups, base_width=width)
        table[f"se_resnext{depth}_{groups}x{width}d"] = build
    table["se_resnext101d_32x8d"] = partial(
        SEResNeXt, 101, groups=32, base_width=8, deep_stem=True, avg_down=True
    )
    table["senet154"] = SENet
    # the geometry of the released Caffe models, which timm calls legacy
    for depth in depths:
        hidden: dict[str, Any] = (
            dict(style="caffe") if depth >= 50 else dict(se_cfg=dict(branch_relu=True))
        )
        table[f"legacy_se_resnet{depth}"] = partial(SEResNet, depth, stem_pool="ceil", **hidden)
    for depth in (50, 101):
        build = partial(SEResNeXt, depth, groups=32, base_width=4, stem_pool="ceil")
        table[f"legacy_se_resnext{depth}_32x4d"] = build
    table["legacy_senet154"] = partial(SENet, stem_pool="ceil")
    for name, (plain, units) in _AROUND.items():
        table[name] = partial(_around, plain, units, 32 if name.endswith("cifar") else 224)
    return table


_BACKBONES = _table()
