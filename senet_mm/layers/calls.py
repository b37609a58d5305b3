"""Whether a module's call may be replaced by what its class computes."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.module import _has_any_global_hook


def runs_only_forward(module: nn.Module) -> bool:
    """Whether calling a module runs its class's ``forward`` and nothing else.

    Somebody may have hooked it, or every module, or set ``forward`` on the instance.
    """
    return not (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
        or "forward" in vars(module)
        or _has_any_global_hook()
    )
