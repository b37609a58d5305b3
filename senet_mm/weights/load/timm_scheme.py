"""``timm://NAME`` wherever mmengine loads a checkpoint, mmdet's plain backbones included."""

from __future__ import annotations

from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from ..read.sources import fetch
from ..read.timm_zoo import TIMM, check_resnet_family
from ..recognize.families import recognize
from ..recognize.key_maps import to_ours


@CheckpointLoader.register_scheme(prefixes=TIMM)
def load_from_timm(filename: str, map_location: str | None = None) -> dict[str, Any]:
    """Load ``timm://NAME``, with our names of the tensors.

    Raises:
        ImportError, ValueError, ConnectionError: As :func:`fetch`, or if it is of no ResNet.
    """
    check_resnet_family(filename)
    checkpoint = fetch(filename)
    rules = recognize(checkpoint.state_dict, filename).rules
    return {"state_dict": {to_ours(key, rules): v for key, v in checkpoint.state_dict.items()}}
