"""What the paper's recipes do to training images and mmpretrain does otherwise or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import TRANSFORMS, BaseTransform
from mmcv.transforms.utils import cache_randomness


@TRANSFORMS.register_module()
class MeanCutout(BaseTransform):
    """Cutout (arXiv 1708.04552): zeros, once images are normalized, in a square at random.

    The square's centre is any pixel, so that a part of it may lie outside, at all four borders;
    mmcv's ``cutout`` pushes it back in at two. The mean takes its place, in float32, so that
    normalization makes exact zeros of it.

    Args:
        size: Side of the square, in pixels, an even number.
        mean: What the data preprocessor subtracts, in the order of the image's channels.
    """

    def __init__(self, size: int, *, mean: Sequence[float]) -> None:
        if size < 2 or size % 2:
            raise ValueError(f"size={size!r} of MeanCutout: expected an even number of pixels")
        self.size = size
        self.mean = np.array(mean, np.float32)

    @cache_randomness
    def _center(self, height: int, width: int) -> tuple[int, int]:
        return np.random.randint(height), np.random.randint(width)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Fill the square in the image ``img`` (H, W, C), which becomes float32."""
        image = results["img"].astype(np.float32)
        y, x = self._center(*image.shape[:2])
        half = self.size // 2
        image[max(0, y - half) : y + half, max(0, x - half) : x + half] = self.mean
        results["img"] = image
        return results


@TRANSFORMS.register_module()
class PixelJitter(BaseTransform):
    """Add a random number to each channel, as in the training of the authors' released models.

    Args:
        limit: The numbers are uniform in [-limit, limit], in steps of the image's 256 values.
    """

    def __init__(self, limit: float) -> None:
        if limit < 0:
            raise ValueError(f"limit={limit!r} of PixelJitter: expected 0 or more")
        self.limit = limit

    @cache_randomness
    def _shifts(self, channels: int) -> np.ndarray:
        return np.random.uniform(-self.limit, self.limit, channels)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shift the channels of the image ``img`` (H, W, C) of uint8, within 0 to 255."""
        image = results["img"]
        shifted = np.rint(image + self._shifts(image.shape[2]))
        results["img"] = shifted.clip(0, 255).astype(image.dtype)
        return results
