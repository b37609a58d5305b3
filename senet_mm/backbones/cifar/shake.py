"""Shake-Shake (arXiv 1705.07485): two branches are mixed at random, anew for each image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_BACKWARDS = ("shake", "even")


class Mix(torch.autograd.Function):
    """``alpha * first + (1 - alpha) * second``, whose gradient has ``beta`` for ``alpha``."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        ctx.save_for_backward(beta)
        return torch.lerp(second, first, alpha)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (beta,) = ctx.saved_tensors
        return beta * grad, (1 - beta) * grad, None, None


class ShakeShake(nn.Module):
    """Mix two maps in training; in eval mode, their mean.

    The random numbers are torch's, one per image, drawn in the forward pass.

    Args:
        backward: ``"shake"``: the gradient is split by new random numbers; ``"even"``: by halves.

    Raises:
        ValueError: If it is neither.
    """

    def __init__(self, backward: str) -> None:
        super().__init__()
        if backward not in _BACKWARDS:
            raise ValueError(f"backward={backward!r} of Shake-Shake: expected 'shake' or 'even'")
        self.shakes_back = backward == "shake"

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two maps of shape (N, C, H, W) to one."""
        if not self.training:
            return (first + second) / 2
        alpha = torch.rand(len(first), 1, 1, 1, dtype=first.dtype, device=first.device)
        beta = torch.rand_like(alpha) if self.shakes_back else torch.full_like(alpha, 0.5)
        return Mix.apply(first, second, alpha, beta)
