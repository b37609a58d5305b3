"""Random weights must not be frozen."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS

from ..weights.init_cfg import pretrained_of
from .task import Task, task_of


def check_frozen(cfg: Config, *, resumed: str | None = None) -> None:
    """Refuse a training run that would freeze random weights.

    mmdet's configs freeze the stem and the first stage and keep batch norm's
    statistics fixed, which is right for pretrained weights and cripples a
    network without.

    Args:
        cfg: The config.
        resumed: The checkpoint that the run resumes.

    Raises:
        ValueError: If the backbone freezes something and no weights are given.
    """
    backbone, path = cfg.model.get("backbone") or {}, "model.backbone"
    parts = [cfg.model, backbone]
    while isinstance(backbone.get("backbone"), Mapping):  # what an SEBackbone wraps
        backbone, path = backbone["backbone"], f"{path}.backbone"
        parts.append(backbone)
    if any(part.get("pretrained") or pretrained_of(part.get("init_cfg")) for part in parts):
        return
    if cfg.get("load_from") or resumed:
        return
    task = task_of(cfg)
    frozen_stages = _option(task, backbone, "frozen_stages", -1)
    norm = str((_option(task, backbone, "norm_cfg", dict(type="BN")) or {}).get("type"))
    # norm_eval acts on batch norm alone, which nets have that take no norm_cfg (timm's)
    norm_eval = "BN" in norm and _option(task, backbone, "norm_eval", False)
    if frozen_stages < 0 and not norm_eval:
        return
    # not every backbone takes both
    free = [f"{path}.frozen_stages=-1"] if frozen_stages >= 0 else []
    free += [f"{path}.norm_eval=False"] if norm_eval else []
    raise ValueError(
        f"the backbone has no pretrained weights, but frozen_stages={frozen_stages} and "
        f"norm_eval={norm_eval} would freeze random ones. Give weights (--cfg-options "
        f"{path}.init_cfg.type=Pretrained {path}.init_cfg.checkpoint=PATH), or "
        f"train from scratch (--cfg-options {' '.join(free)})"
    )


def _option(task: Task, backbone: Mapping, name: str, absent: object) -> Any:
    """An option of a backbone: what the config says, else what its class defaults to."""
    if name in backbone or "type" not in backbone:
        return backbone.get(name, absent)
    kind = task.find(MODELS, backbone["type"])
    for parent in getattr(kind, "__mro__", ()):  # what is not registered is named by the build
        parameter = inspect.signature(parent.__init__).parameters.get(name)
        if parameter is not None:
            return parameter.default
    return absent
