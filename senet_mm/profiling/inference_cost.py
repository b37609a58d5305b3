"""What a detector costs per image: time and memory, all detectors taking turns in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from .complexity import blank_image
from .memory import peak_tensor_bytes
from .turns import median_and_spread, take_turns

_SECONDS = 8.0  # of measuring per detector
_MAX_PASSES = 50


@dataclass(frozen=True)
class InferenceCost:
    """One image through a detector, from its tensor to its boxes.

    Attributes:
        seconds: Median time.
        spread: Half the distance between the quartiles, in seconds.
        memory: Peak bytes of tensors that a pass makes, beyond the weights.
        device: Where.
        num_passes: Passes that were timed.
    """

    seconds: float
    spread: float
    memory: int
    device: str
    num_passes: int


def inference_costs(
    models: Mapping[str, nn.Module], sizes: Mapping[str, tuple[int, int]]
) -> dict[str, InferenceCost]:
    """Time detectors in eval mode, on CUDA where there is one.

    Args:
        models: Detectors by name; their training mode is left as it was.
        sizes: Height and width of each detector's test images.

    Returns:
        The cost of each, in float32 at batch 1.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    modes = {name: model.training for name, model in models.items()}
    passes: dict[str, Callable[[], object]] = {}
    for name, model in models.items():
        model.to(device).eval()
        passes[name] = partial(model, *blank_image(sizes[name], device), mode="predict")
    with torch.no_grad():
        memory = {name: peak_tensor_bytes(one) for name, one in passes.items()}
        times = take_turns(passes, rounds=_MAX_PASSES, warm_up=1, seconds=_SECONDS, device=device)
    for name, model in models.items():
        model.train(modes[name])
    costs = {}
    for name in models:
        seconds, spread = median_and_spread(times[name])
        costs[name] = InferenceCost(seconds, spread, memory[name], str(device), len(times[name]))
    return costs
