"""Whether a GPU gets its work later by the fast path than it would be done by the reference.

The fast path is fewer passes over maps, but some more small operations, and every operation takes
the CPU its time to launch. Where maps are small for a GPU that waits, the passes are not missed.
"""

from __future__ import annotations

import functools
import os

import torch
from torch import Tensor

from .precision import conv_dtype
from .use_triton import VARIABLE

# On an H200 whose CPU launches a unit with timm's SE in 270 us, the fast path takes 265 us more,
# about 600 with gradients; it saves the time of 12 passes over the unit's map, and of 25 to 44
SECONDS_OF_A_PASS = 20e-6


def launching_takes_longer(h: Tensor, shortcut: Tensor) -> bool:
    """Whether reading a map of the unit once takes a GPU less than ``SECONDS_OF_A_PASS``.

    Never under ``SENET_MM_KERNELS=triton``, which is for CUDA graphs: they launch nothing.

    Args:
        h: What the last convolution reads.
        shortcut: As large as what it gives.
    """
    if not h.is_cuda or os.environ.get(VARIABLE) == "triton":
        return False
    return shortcut.numel() * conv_dtype(h).itemsize < SECONDS_OF_A_PASS * bandwidth(h.device)


@functools.lru_cache
def bandwidth(device: torch.device) -> float:
    """What a GPU's memory moves, in bytes per second; 0 where torch does not tell."""
    properties = torch.cuda.get_device_properties(device)
    kilohertz = getattr(properties, "memory_clock_rate", 0)
    # data move on both edges of the clock
    return 2 * 1e3 * kilohertz * getattr(properties, "memory_bus_width", 0) / 8
