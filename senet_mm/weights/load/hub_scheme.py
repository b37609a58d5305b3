"""``hf://OWNER/REPO`` wherever mmengine loads a checkpoint, safetensors included."""

from __future__ import annotations

from typing import Any

from mmengine.runner.checkpoint import CheckpointLoader

from ..read.hub import HUB
from ..read.sources import fetch


@CheckpointLoader.register_scheme(prefixes=HUB)
def load_from_hub(filename: str, map_location: str | None = None) -> dict[str, Any]:
    """Load a checkpoint of the hub, read without running what is in it.

    Raises:
        ImportError, ValueError, ConnectionError: As :func:`fetch`.
    """
    checkpoint = fetch(filename)
    return {"state_dict": checkpoint.state_dict, "meta": dict(checkpoint.meta)}
