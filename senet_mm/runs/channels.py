"""A neck must take the maps that the backbone gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS

from .task import task_of


def check_channels(cfg: Config) -> None:
    """Compare a neck's ``in_channels`` with what the backbone gives, if the backbone tells that.

    A backbone tells it by its ``out_channels``, a property; it is built to read it.

    Raises:
        ValueError: Naming both lists, or what building the backbone raises.
    """
    backbone = cfg.model.get("backbone") or {}
    while isinstance(backbone.get("backbone"), Mapping):  # SE around it changes no channels
        backbone = backbone["backbone"]
    path, neck = _first_neck(cfg.model.get("neck"))
    task = task_of(cfg)
    kind = task.find(MODELS, backbone.get("type"))
    taken = neck.get("in_channels")
    if not isinstance(getattr(kind, "out_channels", None), property) or taken is None:
        return
    given = list(MODELS.build(dict(backbone, _scope_=task.value)).out_channels)
    if isinstance(taken, int):  # a neck of one map, which is the last of them as a rule
        fits, right = taken in given, str(given[-1])
    else:
        fits, right = list(taken) == given, str(given)
    if not fits:
        raise ValueError(
            f"{path}.in_channels={taken}: the backbone, {backbone['type']}, gives {given}; set "
            f'--cfg-options {path}.in_channels="{right}", or other model.backbone.out_indices'
        )


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
