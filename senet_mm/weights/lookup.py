"""How images must be fed to released weights, by their name."""

from __future__ import annotations

import re
from os import PathLike

from .read.places import current_name, source_name
from .read.sources import fetch
from .read.timm_zoo import TIMM, timm_statistics
from .recognize.backbone import find_backbone
from .recognize.families import BY_NAME, named_family
from .recognize.meta import read_meta
from .recognize.normalization import IMAGENET_RGB, Preprocessing, rgb
from .recognize.other_families import preprocessing_by_anchor

_SCHEME = re.compile(r"(?!https?:)\w[\w-]*://")
# those of open-mmlab's without an owner are ports of torchvision's and gluon's
_RGB_NAMES = re.compile(r"(torchvision|mmcls)://|open-?mmlab://resne(x?)t\w+$")


def preprocessing(name: str | PathLike[str]) -> Preprocessing:
    """Mean, standard deviation and channel order that weights were trained with.

    Args:
        name: What a config gives as ``checkpoint`` (``timm://...``,
            ``torchvision://...``, a file, ...) or a family (``legacy``,
            ``mmpretrain``, ``caffe``, ...). Only files and URLs are read.

    Returns:
        The preprocessing; its ``as_config()`` are the options of mmdet's
        ``DetDataPreprocessor``.

    Raises:
        FileNotFoundError, ValueError, ConnectionError, ImportError: If there is
            no such checkpoint.
        TypeError: If ``name`` is neither a name nor a path.

    Example:
        >>> preprocessing("torchvision://resnet50").as_config()["bgr_to_rgb"]
        True
    """
    name = source_name(name)
    family = BY_NAME.get(name) or (named_family(name) if _SCHEME.match(name) else None)
    if family is not None:
        return family.preprocessing
    if name.startswith(TIMM):
        return rgb(*timm_statistics(name))
    if _RGB_NAMES.match(current_name(name)):
        return IMAGENET_RGB
    checkpoint = fetch(name)
    other = preprocessing_by_anchor(checkpoint.state_dict)
    if other is not None:
        return read_meta(checkpoint.meta).preprocessing or other
    return find_backbone(checkpoint).preprocessing
