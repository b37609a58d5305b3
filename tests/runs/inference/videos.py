"""Small videos whose frames are told apart by their grey."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_video(path: Path, greys: Sequence[int], size: tuple[int, int] = (96, 64)) -> Path:
    """A video of 10 frames a second, ``size`` (width, height), each frame of one grey."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, size)
    for grey in greys:
        writer.write(np.full((size[1], size[0], 3), grey, dtype=np.uint8))
    writer.release()
    return path


def greys_of(path: Path) -> list[float]:
    """The mean of each frame."""
    capture, greys = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        greys.append(float(read[1].mean()))
    return greys
