"""Whether the fast path's steps run in Triton: never before they were seen to be right."""

from __future__ import annotations

import functools
import importlib.util
import os
import warnings
from types import ModuleType

import torch
from torch import Tensor

VARIABLE = "SENET_MM_KERNELS"
CHOICES = ("auto", "triton", "torch")


def triton_kernels(x: Tensor) -> ModuleType | None:
    """The Triton kernels, if they take a tensor like this on its GPU; None: plain torch does.

    The first use of a type and layout on a device compares every kernel with plain torch on a
    small case. Where Triton is absent, fails or differs, plain torch takes over with one warning.
    The environment's ``SENET_MM_KERNELS`` is read then: ``torch`` rules Triton out, ``triton``
    makes an error of the warning, ``auto`` is the default.

    Raises:
        ValueError: If ``SENET_MM_KERNELS`` is something else.
        RuntimeError: If it is ``triton``, and Triton cannot be used.
    """
    if x.dtype == torch.float64 or not x.numel():  # the kernels compute in float32
        return None
    last = x.dim() == 4 and not x.is_contiguous()
    return _checked(x.device, x.dtype, torch.channels_last if last else torch.contiguous_format)


@functools.lru_cache
def _checked(
    device: torch.device, dtype: torch.dtype, layout: torch.memory_format
) -> ModuleType | None:
    wanted = os.environ.get(VARIABLE, "auto")
    if wanted not in CHOICES:
        raise ValueError(f"{VARIABLE}={wanted!r}: expected one of {', '.join(CHOICES)}")
    if wanted == "torch":
        return None
    reason, kernels = _why_not(device, dtype, layout)
    if not reason:
        return kernels
    reason = f"SE runs without its Triton kernels on {device}: {reason}"
    if wanted == "triton":
        raise RuntimeError(f"{reason} ({VARIABLE}=triton allows nothing else)")
    warnings.warn(reason, stacklevel=2)
    return None


def _why_not(
    device: torch.device, dtype: torch.dtype, layout: torch.memory_format
) -> tuple[str, ModuleType | None]:
    if not importlib.util.find_spec("triton"):
        return "Triton is not installed", None
    if torch.cuda.get_device_capability(device) < (7, 0):
        return "the GPU's compute capability is below 7.0", None
    try:  # compiling needs tools that a machine may lack
        from . import kernels_triton, self_check

        return self_check.difference(kernels_triton, device, dtype, layout), kernels_triton
    except Exception as error:
        return f"{type(error).__name__}: {error}", None
