"""Time and memory of nets that take turns in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from mmengine.utils import track_iter_progress
from torch import Tensor, nn

from .steps import Setting, make_step
from .variants import BASELINE, variant_names


@dataclass(frozen=True)
class Speed:
    """What one variant took.

    Attributes:
        name: The variant.
        seconds: Median time of a pass or step.
        spread: Half the distance between the quartiles, in seconds.
        ratio: Median over the rounds of the time relative to plain in the same round.
        ratio_spread: Half the distance between the quartiles of that.
        saved: Bytes kept for backward, parameters left out; None in inference.
        peak: Peak bytes on the device beyond what lay there before; None on the CPU.
    """

    name: str
    seconds: float
    spread: float
    ratio: float
    ratio_spread: float
    saved: int | None
    peak: int | None


def measure(
    setting: Setting, *, rounds: int = 20, names: Iterable[str] | None = None
) -> list[Speed]:
    """Time every variant, one pass of each per round, in an order that rotates.

    Args:
        setting: What to time.
        rounds: How often; the first two do not count.
        names: Variants, plain among them; by default all that can be built.

    Returns:
        A line per variant, plain first.

    Raises:
        ValueError: If a variant is unknown, or plain is missing.
    """
    known = variant_names(setting.part, depth=setting.depth, frozen=setting.frozen)
    names = list(names or known)
    unknown = [name for name in names if name not in known]
    if unknown or BASELINE not in names:
        raise ValueError(f"variants {names}: expected {BASELINE!r} and others of {known}")
    steps = {name: make_step(name, setting) for name in names}
    saved = {name: _saved_bytes(step, setting) for name, step in steps.items()}
    peaks = {name: _peak_bytes(step, setting) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in track_iter_progress(list(range(rounds + 2))):
        start = number % len(names)
        for name in [*names[start:], *names[:start]]:
            seconds = _time(steps[name], setting)
            if number >= 2:
                times[name].append(seconds)
    print()
    return [_speed(name, times[name], times[BASELINE], saved[name], peaks[name]) for name in names]


def _time(step: Callable[[], None], setting: Setting) -> float:
    _wait(setting)
    start = time.perf_counter()
    step()
    _wait(setting)
    return time.perf_counter() - start


def _wait(setting: Setting) -> None:
    if setting.device.startswith("cuda"):
        torch.cuda.synchronize()


def _saved_bytes(step: Callable[[], None], setting: Setting) -> int | None:
    """Bytes of the storages that autograd keeps; parameters are there in any case."""
    if setting.task == "inference":
        return None
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if not any(isinstance(kept, nn.Parameter) for kept in (tensor, tensor._base)):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        step()
    return sum(storages.values())


def _peak_bytes(step: Callable[[], None], setting: Setting) -> int | None:
    if not setting.device.startswith("cuda"):
        return None
    step()
    _wait(setting)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    _wait(setting)
    return torch.cuda.max_memory_allocated() - before


def _speed(
    name: str, times: Sequence[float], plain: Sequence[float], saved: int | None, peak: int | None
) -> Speed:
    ratios = [ours / theirs for ours, theirs in zip(times, plain, strict=True)]
    return Speed(
        name=name,
        seconds=statistics.median(times),
        spread=_half_range(times),
        ratio=statistics.median(ratios),
        ratio_spread=_half_range(ratios),
        saved=saved,
        peak=peak,
    )


def _half_range(values: Sequence[float]) -> float:
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2
