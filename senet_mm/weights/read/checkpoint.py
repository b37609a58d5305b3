"""A checkpoint as it was read: tensors under the names of their family."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

# where training codes keep the weights, the better ones first
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")


@dataclass(frozen=True)
class Checkpoint:
    """Weights as they came.

    Attributes:
        source: The name that the user gave.
        state_dict: The tensors, under the names of their family.
        meta: What a mmengine checkpoint says of itself.
        rgb_statistics: Mean and standard deviation of the RGB images, in 0..1, where the source
            tells.
    """

    source: str
    state_dict: dict[str, Tensor]
    meta: Mapping[str, Any] = field(default_factory=dict)
    rgb_statistics: tuple[Sequence[float], Sequence[float]] | None = None


def unwrap(source: str, content: Mapping[str, Any]) -> Checkpoint:
    """Find the tensors in what a file holds.

    EMA weights are preferred. Under a name of the user's own (``net``, ``model_state_dict``) they
    are found where nothing else in the file holds tensors. Prefixes of wrappers (``module.`` of
    DDP, ``_orig_mod.`` of torch.compile) go, and the count of torch's averaging.

    Raises:
        ValueError: If it holds no tensors, or several sets of them.
    """
    wrapped = next(
        (content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None
    )
    if wrapped is None:
        wrapped = _only_set(source, content)
    tensors = {
        re.sub(r"^((module|_orig_mod)\.)+", "", str(key)): value
        for key, value in (content if wrapped is None else wrapped).items()
        if isinstance(value, Tensor) and key != "n_averaged"
    }
    if not tensors:
        raise ValueError(f"checkpoint {source} holds no tensors, only {list(content)[:5]}")
    meta = content.get("meta")
    return Checkpoint(source, tensors, meta if isinstance(meta, Mapping) else {})


def _only_set(source: str, content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The one value that holds tensors, in a dict that holds none itself."""
    if any(isinstance(value, Tensor) for value in content.values()):
        return None
    sets = {
        str(key): value
        for key, value in content.items()
        if isinstance(value, Mapping) and any(isinstance(one, Tensor) for one in value.values())
    }
    if len(sets) > 1:
        raise ValueError(
            f"checkpoint {source} holds several sets of tensors ({', '.join(sets)}): which are the "
            "backbone's cannot be told; save those as 'state_dict'"
        )
    return next(iter(sets.values()), None)
