"""Whether a module's call may be replaced by what its class computes."""

from __future__ import annotations

from torch import nn


def runs_only_forward(module: nn.Module) -> bool:
    """Whether calling a module runs its class's ``forward`` and nothing else."""
    return not (
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )
