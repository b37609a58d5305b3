"""What SE and its rivals take beside the plain net: time and memory of every variant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

from .executions import COMPILED, forget_compiled
from .memory import peak_cuda_bytes, saved_bytes
from .steps import Setting, make_step
from .turns import median_and_spread, take_turns
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
    """Time every variant, all taking turns, and count the memory of each.

    Args:
        setting: What to time.
        rounds: How often each is timed, after two rounds that do not count.
        names: Variants, plain among them; by default all that can be built. Where the setting
            has configs, they are what is timed.

    Returns:
        A line per variant, in the order of ``names``.

    Raises:
        ValueError: If a variant is unknown, or plain is missing.
    """
    names, baseline = _names(setting, names)
    if setting.execution == COMPILED:
        forget_compiled()
    steps = {name: make_step(name, setting) for name in names}
    memory = {name: _memory(step, setting) for name, step in steps.items()}
    times = take_turns(steps, rounds=rounds, warm_up=2, device=setting.device, progress=True)
    return [_speed(name, times[name], times[baseline], *memory[name]) for name in names]


def _names(setting: Setting, names: Iterable[str] | None) -> tuple[list[str], str]:
    """What is timed, and which of it is the baseline."""
    if setting.configs:
        return list(setting.configs), setting.configs[0]
    known = variant_names(setting.part, depth=setting.depth, frozen=setting.frozen)
    names = list(names or known)
    unknown = [name for name in names if name not in known]
    if unknown or BASELINE not in names:
        raise ValueError(f"variants {names}: expected {BASELINE!r} and others of {known}")
    return names, BASELINE


def _memory(step: Callable[[], None], setting: Setting) -> tuple[int | None, int | None]:
    """Bytes kept for backward, in training, and the peak on the device, where that is a GPU."""
    saved = None if setting.task == "inference" else saved_bytes(step)
    on_gpu = torch.device(setting.device).type == "cuda"
    return saved, peak_cuda_bytes(step, setting.device) if on_gpu else None


def _speed(
    name: str, times: Sequence[float], plain: Sequence[float], saved: int | None, peak: int | None
) -> Speed:
    seconds, spread = median_and_spread(times)
    ratio, ratio_spread = median_and_spread(
        [ours / theirs for ours, theirs in zip(times, plain, strict=True)]
    )
    return Speed(
        name=name,
        seconds=seconds,
        spread=spread,
        ratio=ratio,
        ratio_spread=ratio_spread,
        saved=saved,
        peak=peak,
    )
