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

    EMA weights are preferred. Prefixes of wrappers (``module.`` of DDP,
    ``_orig_mod.`` of torch.compile) go, and the count of torch's averaging.

    Raises:
        ValueError: If it holds no tensors.
    """
    wrapped = next(
        (content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None
    )
    tensors = {
        re.sub(r"^((module|_orig_mod)\.)+", "", str(key)): value
        for key, value in (content if wrapped is None else wrapped).items()
        if isinstance(value, Tensor) and key != "n_averaged"
    }
    if not tensors:
        raise ValueError(f"checkpoint {source} holds no tensors, only {list(content)[:5]}")
    meta = content.get("meta")
    return Checkpoint(source, tensors, meta if isinstance(meta, Mapping) else {})
