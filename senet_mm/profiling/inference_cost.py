"""What a detector costs per image: time and memory, all detectors taking turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from .complexity import blank_image

_SECONDS = 8.0  # of measuring per detector, at least three passes
_MIN_PASSES, _MAX_PASSES = 3, 50


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
    images = {name: blank_image(sizes[name], device) for name in models}
    for model in models.values():
        model.to(device).eval()
    with torch.no_grad():
        memory = {name: _peak_memory(model, images[name]) for name, model in models.items()}
        times: dict[str, list[float]] = {name: [] for name in models}
        while not all(map(_is_enough, times.values())):
            for name, model in models.items():
                times[name].append(_time(model, images[name]))
    for name, model in models.items():
        model.train(modes[name])
    return {name: _cost(times[name], memory[name], str(device)) for name in models}


def _is_enough(times: list[float]) -> bool:
    if len(times) < _MIN_PASSES:
        return False
    return sum(times) > _SECONDS or len(times) >= _MAX_PASSES


def _time(model: nn.Module, image: tuple) -> float:
    start = time.perf_counter()
    model(*image, mode="predict")
    if image[0].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _cost(times: list[float], memory: int, device: str) -> InferenceCost:
    low, _, high = statistics.quantiles(times, n=4)
    return InferenceCost(statistics.median(times), (high - low) / 2, memory, device, len(times))


def _peak_memory(model: nn.Module, image: tuple) -> int:
    """Peak bytes of a pass; counted tensor by tensor, so that it is the same on every device."""
    with _PeakMemory() as tracker:
        model(*image, mode="predict")
    return tracker.peak


class _PeakMemory(TorchDispatchMode):
    """Sum up the storages that operations make, as long as they live."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        before = {
            leaf.untyped_storage()._cdata
            for leaf in tree_flatten((args, kwargs or {}))[0]
            if isinstance(leaf, torch.Tensor)
        }
        result = func(*args, **(kwargs or {}))
        self._alive = {key: pair for key, pair in self._alive.items() if not pair[0].expired()}
        for leaf in tree_flatten(result)[0]:
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                # what an operation returns of its inputs is not new
                if storage._cdata not in before:
                    self._alive[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return result
