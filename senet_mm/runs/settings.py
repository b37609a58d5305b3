"""Refuse settings with which a run would do nothing, or fail late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device


@dataclass(frozen=True)
class _Bound:
    """What one number may be; ``also`` are values below it that mmengine gives a meaning."""

    key: str
    low: float
    high: float = inf
    whole: bool = True
    also: tuple[object, ...] = (None,)

    @property
    def expected(self) -> str:
        """In words."""
        kind = "an integer" if self.whole else "a number"
        span = f"of {self.low} or more" if self.high == inf else f"from {self.low} to {self.high}"
        others = "".join(f", or {value}" for value in self.also if value is not None)
        return f"{kind} {span}{others}"

    def accepts(self, value: object) -> bool:
        """Whether a value is in the range."""
        if any(value is other or value == other for other in self.also):
            return True
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return isfinite(value) and self.low <= value <= self.high


def _loader(name: str) -> tuple[_Bound, ...]:
    return (
        _Bound(f"{name}.batch_size", 1),
        _Bound(f"{name}.num_workers", 0),
        _Bound(f"{name}.prefetch_factor", 1),
    )


_NOT_MIXED = ("cpu", "mps")  # where AmpOptimWrapper refuses to work
_ALWAYS = (_Bound("randomness.seed", 0, 2**32 - 1), *_loader("test_dataloader"))
_OF_TRAINING = (
    _Bound("model.backbone.frozen_stages", -1),
    _Bound("model.backbone.backbone.frozen_stages", -1),  # of what an SEBackbone wraps
    _Bound("train_cfg.max_epochs", 1),
    _Bound("train_cfg.max_iters", 1),
    _Bound("train_cfg.val_interval", 1),
    _Bound("train_cfg.val_begin", 0),
    *_loader("train_dataloader"),
    *_loader("val_dataloader"),
    _Bound("optim_wrapper.optimizer.lr", 0, whole=False),
    _Bound("optim_wrapper.optimizer.weight_decay", 0, whole=False),
    _Bound("optim_wrapper.optimizer.momentum", 0, whole=False),
    _Bound("optim_wrapper.accumulative_counts", 1),
    _Bound("optim_wrapper.clip_grad.max_norm", 0, whole=False),
    _Bound("auto_scale_lr.base_batch_size", 1, whole=False),
    _Bound("default_hooks.checkpoint.interval", 1, also=(None, -1)),
    _Bound("default_hooks.checkpoint.max_keep_ckpts", 1, also=(None, -1)),
    _Bound("default_hooks.logger.interval", 1),
)


def check_settings(cfg: Config, *, training: bool) -> None:
    """Check the numbers that decide how long and on what a run works, and mixed precision.

    Args:
        cfg: The config.
        training: Whether it will be trained.

    Raises:
        ValueError: Naming the key, its value and what is accepted.
    """
    if not (cfg.get("model") or {}).get("type"):
        raise ValueError("model has no type: expected the name of a detector in the config")
    for bound in (*_ALWAYS, *(_OF_TRAINING if training else ())):
        for value in _values(cfg, bound.key.split(".")):
            if not bound.accepts(value):
                raise ValueError(
                    f"{bound.key}={value!r}: expected {bound.expected}; set it in the config or "
                    f"with --cfg-options {bound.key}=NUMBER"
                )
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        loader = cfg.get(name) or {}
        if loader.get("persistent_workers") and not loader.get("num_workers"):
            raise ValueError(
                f"{name}.num_workers={loader.get('num_workers', 0)}: there is no worker that "
                f"could be kept: set {name}.persistent_workers=False too"
            )
    if training:
        _check_mixed_precision(cfg)


def _check_mixed_precision(cfg: Config) -> None:
    kind = (cfg.get("optim_wrapper") or {}).get("type")
    name = str(getattr(kind, "__name__", kind)).rpartition(".")[2]
    if name == "AmpOptimWrapper" and get_device() in _NOT_MIXED:
        raise ValueError(
            f"optim_wrapper.type={name} (--amp) trains in mixed precision, which takes a GPU; this "
            f"run has the {get_device()} alone: leave --amp out, or set "
            "optim_wrapper.type=OptimWrapper"
        )


def _values(cfg: Any, keys: list[str]) -> Iterator[object]:
    """The value at a path, if the config has it."""
    for key in keys:
        if not hasattr(cfg, "get") or cfg.get(key) is None:
            return
        cfg = cfg.get(key)
    yield cfg
