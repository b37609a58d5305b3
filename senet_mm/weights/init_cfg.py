"""mmengine's ``init_cfg``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import PretrainedInit
from mmengine.registry import WEIGHT_INITIALIZERS


def pretrained_of(init_cfg: Mapping | Sequence[Mapping] | None) -> list[Mapping]:
    """Those entries of an ``init_cfg`` that load a checkpoint."""
    cfgs = [init_cfg] if isinstance(init_cfg, Mapping) else list(init_cfg or [])
    return [cfg for cfg in cfgs if _loads_checkpoint(cfg.get("type")) and cfg.get("checkpoint")]


def _loads_checkpoint(kind: object) -> bool:
    """Whether an initializer loads a checkpoint, however it is named (``mmengine.Pretrained``)."""
    kind = WEIGHT_INITIALIZERS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, PretrainedInit)
