"""What a detector costs per image: work, time and memory, all taking turns in one process."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from .complexity import MultiplyAdds
from .memory import peak_tensor_bytes
from .turns import median_and_spread, take_turns

_SECONDS = 8.0  # of measuring per detector
_MAX_PASSES = 50


@dataclass(frozen=True)
class InferenceCost:
    """One image through a detector, from its tensor to its boxes.

    Attributes:
        multiply_adds: Median over the pictures.
        memory: Peak bytes of tensors that a pass makes, beyond the weights; the largest.
        seconds: Median time.
        spread: Half the distance between the quartiles, in seconds.
        num_images: Pictures that it was measured on.
        num_passes: Passes that were timed, the pictures in turns.
        device: Where.
    """

    multiply_adds: int
    memory: int
    seconds: float
    spread: float
    num_images: int
    num_passes: int
    device: str


def inference_costs(
    models: Mapping[str, nn.Module], batches: Mapping[str, Sequence[dict[str, Any]]]
) -> dict[str, InferenceCost]:
    """Measure detectors in eval mode, on CUDA where there is one.

    Args:
        models: Detectors by name; their training mode is left as it was.
        batches: Pictures for each, as many as for every other, in batches of one that its data
            preprocessor takes.

    Returns:
        The cost of each, in float32.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    modes = {name: model.training for name, model in models.items()}
    for model in models.values():
        model.to(device).eval()
    passes = {name: _passes(model, batches[name]) for name, model in models.items()}
    with torch.no_grad():
        work = {
            name: [_work(models[name], one) for one in of_model]
            for name, of_model in passes.items()
        }
        times = take_turns(
            {name: _in_turns(of_model) for name, of_model in passes.items()},
            rounds=_MAX_PASSES,
            warm_up=1,
            seconds=_SECONDS,
            device=device,
        )
    for name, model in models.items():
        model.train(modes[name])
    costs = {}
    for name, counted in work.items():
        multiply_adds, memory = zip(*counted, strict=True)
        seconds, spread = median_and_spread(times[name])
        costs[name] = InferenceCost(
            multiply_adds=round(statistics.median(multiply_adds)),
            memory=max(memory),
            seconds=seconds,
            spread=spread,
            num_images=len(counted),
            num_passes=len(times[name]),
            device=str(device),
        )
    return costs


def _passes(model: nn.Module, batches: Sequence[dict[str, Any]]) -> list[Callable[[], object]]:
    preprocess = model.get_submodule("data_preprocessor")
    return [partial(model, **preprocess(batch, False), mode="predict") for batch in batches]


def _work(model: nn.Module, step: Callable[[], object]) -> tuple[int, int]:
    """Multiply-adds, and peak bytes."""
    with MultiplyAdds(model) as counter:
        memory = peak_tensor_bytes(step)
    return counter.total, memory


def _in_turns(passes: Sequence[Callable[[], object]]) -> Callable[[], object]:
    """A pass of the next picture at each call."""
    turns = itertools.cycle(passes)
    return lambda: next(turns)()
