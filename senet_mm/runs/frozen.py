"""Random weights must not be frozen."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config

from ..weights.init_cfg import pretrained_of


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
    backbone = cfg.model.get("backbone") or {}
    if any(
        part.get("pretrained") or pretrained_of(part.get("init_cfg"))
        for part in (cfg.model, backbone)
    ):
        return
    if cfg.get("load_from") or resumed:
        return
    frozen_stages = _option(backbone, "frozen_stages", -1)
    norm = str((_option(backbone, "norm_cfg", None) or {}).get("type"))
    # norm_eval acts on batch norm alone
    norm_eval = "BN" in norm and _option(backbone, "norm_eval", False)
    if frozen_stages < 0 and not norm_eval:
        return
    raise ValueError(
        f"the backbone has no pretrained weights, but frozen_stages={frozen_stages} and "
        f"norm_eval={norm_eval} would freeze random ones. Give weights (--cfg-options "
        "model.backbone.init_cfg.type=Pretrained model.backbone.init_cfg.checkpoint=PATH), or "
        "train from scratch (--cfg-options model.backbone.frozen_stages=-1 "
        "model.backbone.norm_eval=False)"
    )


def _option(backbone: Mapping, name: str, absent: object) -> Any:
    """An option of a backbone: what the config says, else what its class defaults to."""
    if name in backbone or "type" not in backbone:
        return backbone.get(name, absent)
    kind = backbone["type"]
    for parent in (MODELS.get(kind) if isinstance(kind, str) else kind).__mro__:
        parameter = inspect.signature(parent.__init__).parameters.get(name)
        if parameter is not None:
            return parameter.default
    return absent
