"""The images of a bootstrap's resamples."""

from __future__ import annotations

import numpy as np


def draw_images(num_images: int, num_resamples: int, seed: int) -> np.ndarray:
    """Draw as many images as there are, with replacement.

    Returns:
        (1 + B, I) int32, how often each image stands in the data set itself, once, and in each of
        B resamples.
    """
    weights = np.ones((1 + num_resamples, num_images), dtype=np.int32)
    weights[1:] = np.random.default_rng(seed).multinomial(
        num_images, np.full(num_images, 1 / num_images), size=num_resamples
    )
    return weights
