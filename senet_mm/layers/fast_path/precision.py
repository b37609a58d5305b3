"""Types under autocast, chosen by hand."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def autocast_dtype(device: str) -> torch.dtype | None:
    """The type that autocast computes convolutions in on this kind of device; None: it is off."""
    if hasattr(torch, "get_autocast_dtype"):
        on = torch.is_autocast_enabled(device)
        return torch.get_autocast_dtype(device) if on else None
    if device == "cpu":  # torch 2.1
        return torch.get_autocast_cpu_dtype() if torch.is_autocast_cpu_enabled() else None
    return torch.get_autocast_gpu_dtype() if torch.is_autocast_enabled() else None


def conv_dtype(x: Tensor) -> torch.dtype:
    """What a convolution of x computes in."""
    return x.dtype if x.dtype == torch.float64 else autocast_dtype(x.device.type) or x.dtype


def without_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Operations on tensors like x keep their types; backward may run under autocast too."""
    device = x.device.type
    off = autocast_dtype(device) is None
    return nullcontext() if off else torch.autocast(device, enabled=False)


def cast_to(x: Tensor, dtype: torch.dtype) -> Tensor:
    """``x.to(dtype)``, which takes a microsecond or more also where nothing is to be done."""
    return x if x.dtype == dtype else x.to(dtype)
