from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmdet.structures import DetDataSample
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from torch import tensor

from senet_mm.runs.inference.drawing import Drawings, drawable, drawing_name
from senet_mm.runs.inference.frames import Frame
from senet_mm.runs.inference.sources import Kind, Source

from .videos import greys_of

NAMES = [
    ("x.jpg", False, "x.jpg"),
    ("X.JPG", False, "X.JPG"),
    ("x.webp", False, "x.webp"),
    ("noext", False, "noext.jpg"),
    ("x.jpg?a", False, "x.jpg?a.jpg"),
    ("x.heic", False, "x.heic.jpg"),
    ("v.avi", True, "v.mp4"),
    ("webcam0", True, "webcam0.mp4"),
]


@pytest.mark.parametrize(("name", "is_video", "expected"), NAMES)
def test_names(name: str, is_video: bool, expected: str) -> None:
    assert drawing_name(name, is_video=is_video) == expected


def test_what_can_be_drawn_on() -> None:
    bgr = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(drawable(bgr), bgr[..., ::-1])
    assert np.array_equal(drawable(np.dstack([bgr, bgr[..., :1]])), bgr[..., ::-1])
    assert np.array_equal(drawable(bgr[..., 0]), np.dstack([bgr[..., 0]] * 3))
    deep = np.array([[100, 200], [300, 400]], dtype=np.uint16)
    assert drawable(deep)[..., 0].tolist() == [[0, 85], [170, 255]]
    assert drawable(np.zeros((2, 2), dtype=np.float32)).max() == 0


def sample(score: float) -> DetDataSample:
    box, label = tensor([[8.0, 8.0, 40.0, 40.0]]), tensor([0])
    found = InstanceData(bboxes=box, scores=tensor([score]), labels=label)
    return DetDataSample(pred_instances=found)


@pytest.fixture
def drawings() -> Drawings:
    visualizer = DetLocalVisualizer()
    visualizer.dataset_meta = dict(classes=("red",), palette=[(255, 0, 0)])
    return Drawings(visualizer, 0.5)


def grey(source: Source, value: int, number: int | None = None) -> Frame:
    return Frame(source, np.full((48, 65, 3), value, dtype=np.uint8), number, 10)


def test_a_picture_and_two_videos(drawings: Drawings, tmp_path: Path) -> None:
    picture = Source("a/x.png", Kind.PICTURE, Path("x.png"))
    videos = [Source("v.mov", Kind.VIDEO, Path("v.mov")), Source("0", Kind.CAMERA, Path("webcam0"))]
    with drawings:
        drawings.add(grey(picture, 100), sample(0.9), tmp_path)
        drawn = cv2.imread(str(tmp_path / "x.png"))
        assert drawn.shape == (48, 65, 3) and (drawn[44:] == 100).all()
        assert (drawn != 100).any(axis=2)[6:42, 6:42].sum() > 90
        drawings.add(grey(picture, 100), sample(0.4), tmp_path)
        assert (cv2.imread(str(tmp_path / "x.png")) == 100).all()
        for video in videos:
            for number in range(5):
                drawings.add(grey(video, 20 * number, number), sample(0.1), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"x.png", "v.mp4", "webcam0.mp4"}
    for name in ("v.mp4", "webcam0.mp4"):
        assert greys_of(tmp_path / name) == pytest.approx([0, 20, 40, 60, 80], abs=4)
    assert cv2.VideoCapture(str(tmp_path / "v.mp4")).get(cv2.CAP_PROP_FPS) == 10


def test_an_error_leaves_no_half_video(drawings: Drawings, tmp_path: Path) -> None:
    video = Source("v.mov", Kind.VIDEO, Path("v.mov"))
    with pytest.raises(RuntimeError), drawings:
        drawings.add(grey(video, 1, 0), sample(0.9), tmp_path)
        raise RuntimeError
    assert not list(tmp_path.iterdir())
