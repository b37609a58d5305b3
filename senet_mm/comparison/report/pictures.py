"""Boxes and masks drawn on an image, panels side by side."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from pycocotools import mask as mask_utils
from torch import Tensor
from torchvision.utils import draw_bounding_boxes, draw_segmentation_masks

_MIN_SIDE = 384  # small pictures are enlarged, so that labels can be read
_MAX_SIDE = 640
_CAPTION_HEIGHT, _BORDER = 28, 2
_MASK_ALPHA = 0.5
_FONT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")  # of most scripts


@dataclass(frozen=True)
class Drawing:
    """An object to be drawn.

    Attributes:
        xywh: Left, top, width and height of its box in pixels of the image.
        label: What is written at it.
        color: Its colour, red first.
        mask: Its mask as compressed RLE, if that is drawn too.
    """

    xywh: Sequence[float] | np.ndarray
    label: str
    color: tuple[int, int, int]
    mask: dict[str, Any] | None = None


def class_color(index: int) -> tuple[int, int, int]:
    """A bright colour for a class, far from those of its neighbours."""
    golden_ratio = (5**0.5 - 1) / 2
    red, green, blue = colorsys.hsv_to_rgb(golden_ratio * int(index) % 1, 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def draw_panels(image_file: Path, panels: Mapping[str, Sequence[Drawing]]) -> np.ndarray:
    """Draw an image once per panel, each under its caption, from left to right.

    Returns:
        The picture, (height, width, 3) in RGB order.

    Raises:
        FileNotFoundError: If there is no such image, or it cannot be read.
    """
    image = None
    if image_file.is_file():  # a pipe would never end
        image = cv2.imread(str(image_file))  # as mmdet reads it, turned where its camera was
    if image is None:
        raise FileNotFoundError(f"image {image_file} is not there, or is no image")
    sides = image.shape[:2]
    scale = min(max(1.0, _MIN_SIDE / min(sides)), _MAX_SIDE / max(sides))
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = torch.from_numpy(np.ascontiguousarray(image[:, :, ::-1])).permute(2, 0, 1)
    return np.hstack(
        [_panel(canvas, drawings, scale, caption) for caption, drawings in panels.items()]
    )


def _panel(canvas: Tensor, drawings: Sequence[Drawing], scale: float, caption: str) -> np.ndarray:
    height, width = canvas.shape[1:]
    boxes = _corners(drawings, scale)
    if drawings:
        colors = [drawing.color for drawing in drawings]
        masks = _masks(drawings, height, width)
        if masks is not None:
            canvas = draw_segmentation_masks(canvas, masks, alpha=_MASK_ALPHA, colors=colors)
        canvas = draw_bounding_boxes(canvas, boxes, colors=colors, width=2)
    panel = Image.new("RGB", (width + 2 * _BORDER, height + _CAPTION_HEIGHT))
    panel.paste(Image.fromarray(canvas.permute(1, 2, 0).numpy()), (_BORDER, _CAPTION_HEIGHT))
    draw = ImageDraw.Draw(panel)
    draw.text((8, 5), caption, "white", ImageFont.truetype(str(_FONT), 15))
    font = ImageFont.truetype(str(_FONT), 12)
    for drawing, (left, top, _, _) in zip(drawings, boxes.tolist(), strict=True):
        # inside of the box, and of the picture
        x = max(0, min(left + 3, width - font.getlength(drawing.label) - 2)) + _BORDER
        y = max(0, min(top + 2, height - 16)) + _CAPTION_HEIGHT
        draw.text((x, y), drawing.label, "white", font, stroke_width=2, stroke_fill="black")
    return np.asarray(panel)


def _corners(drawings: Sequence[Drawing], scale: float) -> Tensor:
    """(N, 4) left, top, right and bottom of each box on the canvas."""
    boxes = np.array([drawing.xywh for drawing in drawings], dtype=float).reshape(-1, 4)
    corners = np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    # annotations may have negative sides
    corners = np.concatenate([corners.min(axis=0), corners.max(axis=0)], axis=1)
    return torch.from_numpy((corners * scale).round())


def _masks(drawings: Sequence[Drawing], height: int, width: int) -> Tensor | None:
    """(N, height, width) masks on the canvas; None where none is drawn."""
    if any(drawing.mask is None for drawing in drawings):
        return None
    masks = [
        cv2.resize(mask_utils.decode(d.mask), (width, height), interpolation=cv2.INTER_NEAREST)
        for d in drawings
    ]
    return torch.from_numpy(np.stack(masks)).bool()
