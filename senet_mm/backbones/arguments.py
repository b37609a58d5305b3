"""Checks of what a backbone is given, each an error of one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmengine.registry import MODELS
from torch import nn

from ..compat.signatures import arguments_of_kind
from ..io.near_names import nearest

_NORMS = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm, nn.LayerNorm),
)
# timm's words for what is said otherwise here
_OF_TIMM = {
    "in_chans": "in_channels is meant",
    "num_classes": "a backbone has no classifier",
    "global_pool": "a backbone has no classifier",
    "features_only": "a backbone gives maps always",
    "output_stride": "strides and dilations are meant",
    "checkpoint_path": "weights of senet_mm.create_backbone is meant",
}


def check_names(kind: type, given: Iterable[str]) -> None:
    """Refuse arguments that a backbone does not take.

    Raises:
        TypeError: Naming the first, and the nearest that it takes.
    """
    taken, more = arguments_of_kind(kind)
    taken -= {"self"}
    unknown = [name for name in given if name not in taken]
    if not unknown or more or getattr(kind, "hands_options_on", False):
        return
    name = unknown[0]
    if name in _OF_TIMM:
        hint = f": {_OF_TIMM[name]}"
    else:
        hint = nearest(name, sorted(taken)) or f"; it takes {', '.join(sorted(taken))}"
    raise TypeError(f"{kind.__name__} takes no {name!r}{hint}")


def check_choice(name: str, value: object, accepted: Any) -> None:
    """Refuse a value that is not one of some.

    Raises:
        ValueError: Naming it, and what is accepted.
    """
    if value not in list(accepted):  # a list takes what has no hash
        raise ValueError(f"{name}={value!r}: expected one of {list(accepted)}")


def check_out_indices(out_indices: Any, num_stages: int) -> None:
    """Refuse what names no stages.

    Raises:
        ValueError: Naming the value, and what is accepted.
    """
    listed = tuple(out_indices) if isinstance(out_indices, (Sequence, range)) else ()
    if not listed or not set(listed) <= set(range(num_stages)):
        shown = listed or out_indices
        raise ValueError(
            f"out_indices={shown!r}: expected stages 0 to {num_stages - 1}, "
            f"such as ({num_stages - 1},)"
        )


def check_norm(norm_cfg: Any) -> None:
    """Refuse a norm that mmcv does not know.

    Raises:
        TypeError: If it is no dict with a type.
        ValueError: If the type is unknown; with those that are known.
    """
    kind = norm_cfg.get("type") if isinstance(norm_cfg, Mapping) else None
    if kind is None:
        raise TypeError(f"norm_cfg={norm_cfg!r}: expected a dict with a type, dict(type='BN')")
    with MODELS.switch_scope_and_registry(None) as registry:  # where mmcv looks
        found = registry.get(kind) if isinstance(kind, str) else kind
    if found is None:
        known = [name for name, norm in MODELS.module_dict.items() if _is_norm(norm)]
        raise ValueError(f"norm_cfg has type={kind!r}: expected one of {', '.join(known)}")


def _is_norm(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, _NORMS)
