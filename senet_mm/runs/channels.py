"""A neck must take the maps that the backbone gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmdet.models.backbones import ResNet
from mmdet.models.necks import FPN, ChannelMapper
from mmengine.config import Config
from mmengine.registry import MODELS

from ..backbones.se_resnet import stage_channels
from ..necks import SENeck
from ..weights.load.match import of_resnet_family
from .task import task_of


def check_channels(cfg: Config) -> None:
    """Compare a neck's ``in_channels`` with what the backbone gives, if the backbone tells that.

    A backbone tells it by its ``out_channels``, a property; it is built to read it. Of mmdet's
    ResNets and ours it follows from their options.

    Raises:
        ValueError: Naming both lists, or what building the backbone raises.
    """
    backbone = cfg.model.get("backbone") or {}
    while isinstance(backbone.get("backbone"), Mapping):  # SE around it changes no channels
        backbone = backbone["backbone"]
    place, neck = _first_neck(cfg.model.get("neck"))
    task = task_of(cfg)
    kind = task.find(MODELS, backbone.get("type"))
    taken = neck.get("in_channels")
    if taken is None:
        return
    given = _channels_of(kind, dict(backbone, _scope_=task.value))
    if given is None:
        return
    if isinstance(taken, int):  # a neck of one map, which is the last of them as a rule
        fits, right = taken in given, str(given[-1])
    else:
        last = given[-len(taken) :] if taken else given
        some = last == list(taken) and not _takes_all(task.find(MODELS, neck.get("type")))
        fits, right = some or list(taken) == given, str(given)
    if not fits:
        raise ValueError(
            f"{place}.in_channels={taken}: the backbone, {backbone['type']}, gives {given}; set "
            f'--cfg-options {place}.in_channels="{right}", or other model.backbone.out_indices'
        )


def _takes_all(neck: Any) -> bool:
    """Whether a neck must have a map for each of its ``in_channels``; some take the last maps."""
    return isinstance(neck, type) and issubclass(neck, (FPN, ChannelMapper, SENeck))


def _channels_of(kind: Any, backbone: dict[str, Any]) -> list[int] | None:
    """Channels of a backbone's maps, where they can be told."""
    if isinstance(getattr(kind, "out_channels", None), property):
        return list(MODELS.build(backbone).out_channels)
    if not (isinstance(kind, type) and issubclass(kind, ResNet)):
        return None
    try:
        with torch.device("meta"):  # a net without numbers: no time, no memory
            net = MODELS.build(backbone | dict(init_cfg=None))
    except (NotImplementedError, RuntimeError):  # of a part that needs numbers
        return None
    if not of_resnet_family(net):  # what derives from these may have other widths
        return None
    channels = stage_channels(net)
    return [channels[index] for index in net.out_indices]


def _first_neck(neck: Any) -> tuple[str, Mapping[str, Any]]:
    """The neck that the backbone's maps go into, of a chain or inside another, and its path."""
    path = "model.neck"
    while True:
        if isinstance(neck, (list, tuple)) and neck:
            path, neck = f"{path}.0", neck[0]
        elif isinstance(neck, Mapping) and "in_channels" not in neck and "neck" in neck:
            path, neck = f"{path}.neck", neck["neck"]
        else:
            return path, neck if isinstance(neck, Mapping) else {}
