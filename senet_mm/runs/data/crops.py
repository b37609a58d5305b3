"""The corner crops of 10-crop testing, which mmcv and mmpretrain lack."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import TRANSFORMS, BaseTransform

CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")


@TRANSFORMS.register_module()
class CornerCrop(BaseTransform):
    """Crop a square in a corner of the image ``img``, and tell its ``img_shape``.

    Ten crops are four of these and mmcv's ``CenterCrop``, each as it is and flipped, in one
    ``TestTimeAug``.

    Args:
        crop_size: Side of the square, in pixels.
        corner: One of :data:`CORNERS`.

    Raises:
        ValueError: If there is no such corner or, of an image, if it is smaller than the square.
    """

    def __init__(self, crop_size: int, *, corner: str) -> None:
        if corner not in CORNERS:
            raise ValueError(f"corner={corner!r} of CornerCrop: expected one of {CORNERS}")
        self.crop_size = crop_size
        self.corner = corner

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop the image of a sample."""
        size = self.crop_size
        height, width = results["img"].shape[:2]
        if min(height, width) < size:
            raise ValueError(
                f"CornerCrop: crop_size={size} of an image of {height} x {width} pixels: resize it "
                "before"
            )
        top = height - size if "bottom" in self.corner else 0
        left = width - size if "right" in self.corner else 0
        results["img"] = results["img"][top : top + size, left : left + size]
        results["img_shape"] = (size, size)
        return results
