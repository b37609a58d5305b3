"""mmengine's ``init_cfg``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import PretrainedInit


def pretrained_of(init_cfg: Mapping | Sequence[Mapping] | None) -> list[Mapping]:
    """Those entries of an ``init_cfg`` that load a checkpoint."""
    cfgs = [init_cfg] if isinstance(init_cfg, Mapping) else list(init_cfg or [])
    return [
        cfg
        for cfg in cfgs
        if cfg.get("type") in ("Pretrained", PretrainedInit) and cfg.get("checkpoint")
    ]
