"""Boxes drawn on an image, panels side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

_MIN_SIDE = 384  # small pictures are enlarged, so that labels can be read
_MAX_SIDE = 640
_CAPTION_HEIGHT = 28
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Box:
    """A box with a label.

    Attributes:
        xywh: Left, top, width and height in pixels of the image.
        label: What is written at it.
        color: Its colour, blue first.
    """

    xywh: Sequence[float]
    label: str
    color: tuple[int, int, int]


def draw_panels(image_file: Path, panels: Mapping[str, Sequence[Box]]) -> np.ndarray:
    """Draw an image once per panel, each under its caption, from left to right.

    Returns:
        The picture, (height, width, 3) in BGR order.

    Raises:
        FileNotFoundError: If there is no such image, or it cannot be read.
    """
    image = cv2.imread(str(image_file))
    if image is None:
        raise FileNotFoundError(f"image {image_file} is not there, or is no image")
    sides = image.shape[:2]
    scale = min(max(1.0, _MIN_SIDE / min(sides)), _MAX_SIDE / max(sides))
    return np.hstack([_draw(image, boxes, scale, caption) for caption, boxes in panels.items()])


def _draw(image: np.ndarray, boxes: Sequence[Box], scale: float, caption: str) -> np.ndarray:
    canvas = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = cv2.copyMakeBorder(canvas, _CAPTION_HEIGHT, 0, 2, 2, cv2.BORDER_CONSTANT)
    offset = np.array([2, _CAPTION_HEIGHT])
    cv2.putText(canvas, caption, (8, 20), _FONT, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
    for box in boxes:
        x, y, width, height = np.multiply(box.xywh, scale)
        first = np.add((x, y), offset).round().astype(int).tolist()
        second = np.add((x + width, y + height), offset).round().astype(int).tolist()
        cv2.rectangle(canvas, first, second, box.color, 2)
        at = (first[0] + 2, first[1] + 12)
        cv2.putText(canvas, box.label, at, _FONT, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(canvas, box.label, at, _FONT, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return canvas
