"""The one timing harness: things take turns in one process, so that drift meets them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from tqdm import tqdm

_LEAST_ROUNDS = 3  # that a limit of seconds leaves


def take_turns(
    steps: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int,
    seconds: float | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> dict[str, list[float]]:
    """Time things round by round, each once in a round, in an order that rotates.

    Args:
        steps: What is timed, by name.
        rounds: How many rounds are timed.
        warm_up: Rounds before those, which do not count.
        seconds: Stop sooner, after three rounds or more, once each was timed for so long.
        device: Where the steps run; CUDA is waited for.
        progress: Show a progress bar on stderr.

    Returns:
        Seconds of each in each round, by name.
    """
    names = list(steps)
    times: dict[str, list[float]] = {name: [] for name in names}
    for number in tqdm(range(warm_up + rounds), disable=not progress, leave=False):
        start = number % len(names)
        for name in [*names[start:], *names[:start]]:
            taken = _time(steps[name], torch.device(device))
            if number >= warm_up:
                times[name].append(taken)
        timed = number + 1 - warm_up
        if seconds is not None and timed >= _LEAST_ROUNDS and _least_total(times) > seconds:
            break
    return times


def median_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """The median, and half the distance between the quartiles."""
    low, _, high = statistics.quantiles(values, n=4)
    return statistics.median(values), (high - low) / 2


def _least_total(times: Mapping[str, Sequence[float]]) -> float:
    return min(map(sum, times.values()))


def _time(step: Callable[[], object], device: torch.device) -> float:
    wait_for(device)
    start = time.perf_counter()
    step()
    wait_for(device)
    return time.perf_counter() - start


def wait_for(device: torch.device) -> None:
    """Wait until all work handed to a device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
