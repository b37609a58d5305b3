"""Whether a module's call may be replaced by what its class computes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.modules import module as of_all

is_compiling = getattr(torch.compiler, "is_compiling", None) or torch._dynamo.is_compiling


def runs_only_forward(module: nn.Module, *, besides: Callable | None = None) -> bool:
    """Whether calling a module runs its class's ``forward`` and nothing else.

    Somebody may have hooked it, or every module, or set ``forward`` on the instance.

    Args:
        module: The module.
        besides: A forward pre-hook that may run too.
    """
    return not (
        module._forward_hooks
        or any(hook is not besides for hook in module._forward_pre_hooks.values())
        or module._backward_hooks
        or module._backward_pre_hooks
        or of_all._global_forward_hooks
        or of_all._global_forward_pre_hooks
        or of_all._global_backward_hooks
        or of_all._global_backward_pre_hooks
        or "forward" in vars(module)
    )
