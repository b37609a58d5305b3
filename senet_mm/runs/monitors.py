"""Hooks that watch a metric which nothing computes would fail late, or do nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS
from mmengine.config import Config
from mmengine.hooks import CheckpointHook, EarlyStoppingHook

from .data.class_names import nearest
from .hooks import hooks_of_config

_ITEMS = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")  # of boxes or masks
_MOST_OF_AP = 0.02  # what a training rarely gains between two validations, late in it


def check_monitors(cfg: Config) -> None:
    """Check what early stopping and ``save_best`` watch; of other metrics than COCO's no names.

    Raises:
        ValueError: Naming the key, its value and what the evaluation computes.
    """
    computed = _computed(cfg.get("val_evaluator"))
    for key, hook in hooks_of_config(cfg, EarlyStoppingHook):
        if not cfg.get("val_dataloader"):
            raise ValueError(f"{key} (EarlyStoppingHook) watches validations: set val_dataloader")
        _check(f"{key}.monitor", _setting(hook, "monitor"), computed)
        delta = _setting(hook, "min_delta", 0.1)
        if computed and delta > _MOST_OF_AP:
            print(
                f"note: {key}.min_delta={delta:g}: AP is between 0 and 1, so each validation must "
                f"gain {100 * delta:g} points of it; set min_delta=0.001 for a tenth of a point",
                file=sys.stderr,
            )
    for key, hook in hooks_of_config(cfg, CheckpointHook):
        watched = _setting(hook, "save_best")
        for name in [watched] if isinstance(watched, str) else watched or ():
            if name != "auto":
                _check(f"{key}.save_best", name, computed)


def _check(key: str, name: Any, computed: Sequence[str]) -> None:
    if computed and name not in computed:
        raise ValueError(
            f"{key}={name!r} is nothing that val_evaluator computes{nearest(str(name), computed)}: "
            f"expected one of {', '.join(computed)}"
        )


def _setting(hook: Any, name: str, default: Any = None) -> Any:
    found = hook.get(name) if isinstance(hook, Mapping) else getattr(hook, name, None)
    return default if found is None else found


def _computed(evaluator: Any) -> list[str]:
    """Names of all that COCO's metrics compute; none where there is another metric too."""
    metrics = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]
    names: list[str] = []
    for metric in metrics:
        kind = metric.get("type") if isinstance(metric, Mapping) else None
        kind = METRICS.get(kind) if isinstance(kind, str) else kind
        if metric is None or kind is not CocoMetric or metric.get("classwise"):
            return []
        prefix = metric.get("prefix") or kind.default_prefix
        given = metric.get("metric", "bbox")
        for one in [given] if isinstance(given, str) else given:
            if one not in ("bbox", "segm"):
                return []
            items = metric.get("metric_items") or _ITEMS
            names += [f"{prefix}/{one}_{item}" for item in items]
    return names
