"""Top-k error: the share of images whose right class is not among the k that score highest."""

from __future__ import annotations

import numpy as np

TOP = (1, 5)  # the paper's


def ranks(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many classes stand before the right one.

    Of equal scores the class of the lower number stands first, as ``argmax`` has it.

    Args:
        scores: (N, K) finite scores.
        labels: (N,) the right classes.

    Returns:
        (N,) integers from 0 to K - 1.
    """
    own = scores[np.arange(len(labels)), labels][:, None]
    before = np.arange(scores.shape[1]) < labels[:, None]
    return ((scores > own) | ((scores == own) & before)).sum(axis=1)


def top_errors(scores: np.ndarray, labels: np.ndarray) -> dict[int, float]:
    """Top-1 and top-5 error in percent, by k; without those that cannot fail, from K <= k.

    Args:
        scores: (N, K) finite scores.
        labels: (N,) the right classes.
    """
    found = ranks(scores, labels)
    kept = [k for k in TOP if k < scores.shape[1]]
    return {k: 100 * float(np.mean(found >= k)) for k in kept}
