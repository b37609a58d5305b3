"""The squeeze over positions, or over the valid part, and its gradient."""

from __future__ import annotations

from torch import Tensor

from ..functions import accumulator
from ..padding import weighted_sum


def mean(x: Tensor, shares: Tensor | None) -> Tensor:
    """The mean over positions (N, C), at least in float32.

    Args:
        x: Of shape (N, C, H, W).
        shares: Of each position, (N, 1, H, W), where they are not all the same; see
            :meth:`senet_mm.layers.padding.ValidPart.shares`.
    """
    if shares is None:
        return x.mean((2, 3), dtype=accumulator(x))
    return weighted_sum(x, shares).flatten(1)


def add_gradient(dx: Tensor, dmean: Tensor, shares: Tensor | None) -> Tensor:
    """Add the mean's part to a gradient of the map, in place.

    Args:
        dx: Of shape (N, C, H, W).
        dmean: That of the mean, (N, C).
        shares: As above.
    """
    dmean = dmean[:, :, None, None]
    if shares is None:
        return dx.add_(dmean, alpha=1 / dx[0, 0].numel())
    return dx.add_(dmean * shares)
