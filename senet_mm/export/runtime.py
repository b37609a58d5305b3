"""Run an exported detector: NumPy, OpenCV and onnxruntime, and neither torch nor mmdet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..compat.extras import needed

KEY = "senet_mm"  # of the description among a file's metadata


@dataclass(frozen=True)
class Detections:
    """The objects of one picture.

    Attributes:
        boxes: Of shape (N, 4), left, top, right and bottom in pixels of the picture.
        labels: Of shape (N,), places in the detector's classes.
        scores: Of shape (N,), falling.
        masks: Of shape (N, H, W), or None where the detector has no mask head.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    masks: np.ndarray | None = None


class OnnxDetector:
    """A detector that ``senet-mm export`` wrote.

    Args:
        path: The file.
        providers: What onnxruntime runs it on, such as ``CUDAExecutionProvider``.

    Raises:
        ImportError: If onnxruntime is not installed.
        FileNotFoundError, ValueError: If there is no such file, or it is none of ours.
    """

    def __init__(
        self, path: str | Path, *, providers: Sequence[str] = ("CPUExecutionProvider",)
    ) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} not found")
        onnxruntime: Any = needed("onnxruntime")
        try:
            self._session = onnxruntime.InferenceSession(str(path), providers=list(providers))
        except Exception as error:  # onnxruntime's own classes
            first = str(error).partition("\n")[0]
            raise ValueError(f"onnxruntime cannot read {path}: {first}") from error
        description = self._session.get_modelmeta().custom_metadata_map.get(KEY)
        if description is None:
            raise ValueError(
                f"{path} was not written by senet-mm export: its metadata has no {KEY}"
            )
        self.description: dict[str, Any] = json.loads(description)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, by label."""
        return self.description["classes"]

    def __call__(self, picture: np.ndarray) -> Detections:
        """Detect the objects of a picture of shape (H, W, 3), uint8, as ``cv2.imread`` gives it."""
        canvas, scale = fit(picture, self.description)
        return self.finish(self._session.run(None, {"image": canvas}), picture, scale)

    def finish(
        self, outputs: Sequence[np.ndarray], picture: np.ndarray, scale: tuple[float, float]
    ) -> Detections:
        """What the file's outputs mean for the picture that was scaled in width and height."""
        boxes, labels, scores, *masks = outputs
        height, width = picture.shape[:2]
        boxes = boxes / np.array(scale * 2, dtype=np.float32)
        if self.description["size"]:  # beyond the picture lies what the canvas was filled with
            boxes = boxes.clip(0, np.array([width, height] * 2, dtype=np.float32))
        if not masks:
            return Detections(boxes, labels, scores)
        limit = self.description["mask_threshold"]
        pasted = [
            paste(*one, (height, width)) >= limit for one in zip(masks[0], boxes, strict=True)
        ]
        whole = np.array(pasted, dtype=bool).reshape(-1, height, width)
        return Detections(boxes, labels, scores, whole)


def fit(picture: np.ndarray, description: dict[str, Any]) -> tuple[np.ndarray, tuple[float, float]]:
    """Resize a picture as its detector expects it.

    Args:
        picture: Of shape (H, W, 3), uint8.
        description: The file's: ``scale``, ``keep_ratio``, and ``size`` with ``fill`` where the
            file takes one size alone.

    Returns:
        What the file takes, and by how much width and height were scaled.
    """
    height, width = picture.shape[:2]
    size = description["size"]
    new_width, new_height = size[::-1] if size else description["scale"]
    if description["keep_ratio"]:
        if size:
            ratio = min(new_width / width, new_height / height)
        else:
            long, short = max(new_width, new_height), min(new_width, new_height)
            ratio = min(long / max(height, width), short / min(height, width))
        new_width, new_height = int(width * ratio + 0.5), int(height * ratio + 0.5)
    resized = cv2.resize(picture, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    scale = new_width / width, new_height / height
    if not size:
        return resized, scale
    canvas = np.empty((*size, 3), dtype=np.uint8)
    canvas[:] = description["fill"]
    canvas[:new_height, :new_width] = resized
    return canvas, scale


def paste(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask of shape (S, S) over a box, by linear interpolation, in a picture of a size."""
    left, top, right, bottom = box
    rows = _weights(top, bottom, mask.shape[0], size[0])
    columns = _weights(left, right, mask.shape[1], size[1])
    return rows @ mask @ columns.T


def _weights(start: float, end: float, cells: int, pixels: int) -> np.ndarray:
    """By how much each cell between start and end counts for each pixel: (pixels, cells)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (np.arange(pixels) + 0.5 - start) / (end - start) * cells - 0.5
    place = np.where(np.isfinite(place), place, (cells - 1) / 2)  # of an empty box
    return np.clip(1 - np.abs(place[:, None] - np.arange(cells)), 0, None).astype(np.float32)
