"""Drawn detections: of a picture a picture, of a video a video."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmdet.apis.det_inferencer import IMG_EXTENSIONS
from mmdet.structures import DetDataSample
from mmengine.visualization import Visualizer

from ...io.outputs import whole_output
from .frames import Frame
from .sources import Source

_CODEC = cv2.VideoWriter.fourcc(*"mp4v")  # every build of OpenCV has it


def drawing_name(name: str, *, is_video: bool) -> str:
    """What a drawing is called: as what it is of, where its format can be written."""
    suffix = Path(name).suffix.lower()
    if is_video:
        return f"{Path(name).stem}.mp4"
    is_written = suffix in IMG_EXTENSIONS and cv2.haveImageWriter(f"x{suffix}")
    return name if is_written else f"{name}.jpg"


def drawable(image: np.ndarray) -> np.ndarray:
    """A picture as a pipeline loads it, as (H, W, 3) of 8 bits, red first."""
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        image = ((image - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(image[..., 2::-1])


class Drawings:
    """Draws by mmdet's visualizer; used as a context, at whose end a video is whole.

    Args:
        visualizer: Draws.
        score_thr: The lowest score that is drawn.
    """

    def __init__(self, visualizer: Visualizer, score_thr: float) -> None:
        self._visualizer = visualizer
        self._score_thr = score_thr
        self._stack = ExitStack()
        self._video: tuple[Source, cv2.VideoWriter] | None = None

    def __enter__(self) -> Drawings:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def add(self, frame: Frame, sample: DetDataSample, folder: Path) -> None:
        """Draw the detections of a frame, into a folder."""
        if self._video and self._video[0] is not frame.source:
            self._stack.close()
            self._video = None
        is_video = frame.number is not None
        file = folder / drawing_name(frame.source.name.name, is_video=is_video)
        image = drawable(frame.image)
        self._visualizer.add_datasample(
            file.stem,
            image,
            sample,
            draw_gt=False,
            pred_score_thr=self._score_thr,
            out_file=None if is_video else str(file),
        )
        if is_video:
            writer = self._video[1] if self._video else self._open(frame, file)
            writer.write(self._visualizer.get_image()[..., ::-1])

    def _open(self, frame: Frame, file: Path) -> cv2.VideoWriter:
        file.parent.mkdir(parents=True, exist_ok=True)
        place = self._stack.enter_context(whole_output(file))
        height, width = frame.image.shape[:2]
        writer = cv2.VideoWriter(place, _CODEC, frame.fps, (width, height))
        self._stack.callback(writer.release)
        if not writer.isOpened():
            raise OSError(f"{file} cannot be written as a video by this OpenCV: add --no-draw")
        self._video = frame.source, writer
        return writer
