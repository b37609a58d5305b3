"""The written file computes in onnxruntime what torch computes, for pictures of any size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from senet_mm.export.detector import PlainDetector
from senet_mm.export.onnx_file import write_onnx
from senet_mm.export.runtime import KEY
from tests.export.nets import CONFIGS, scene, small_detector

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.slow


def written(path: Path, detector: PlainDetector, size: tuple[int, int] | None = None) -> Path:
    write_onnx(detector.eval(), path, size=size, description=dict(name="a net"))
    return path


def outputs(path: Path, picture: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": picture})


def of_torch(detector: PlainDetector, picture: np.ndarray) -> list[np.ndarray]:
    with torch.no_grad():
        return [one.numpy() for one in detector(torch.from_numpy(picture))]


def assert_same(ours: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Boxes to 1e-2 px, scores and masks to 1e-4, the same labels in the same order."""
    assert len(ours[0]) == len(expected[0]) >= 10
    np.testing.assert_array_equal(ours[1], expected[1])
    np.testing.assert_allclose(ours[0], expected[0], rtol=0, atol=1e-2)
    for one, other in zip(ours[2:], expected[2:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize("se", [False, True], ids=["plain", "se"])
@pytest.mark.parametrize("kind", CONFIGS)
def test_any_size(kind: str, se: bool, tmp_path: Path) -> None:
    detector = PlainDetector(small_detector(kind, se=se))
    path = written(tmp_path / "net.onnx", detector)
    for size in ((90, 130), (160, 97)):  # neither is the traced one
        picture = scene(*size)
        assert_same(outputs(path, picture), of_torch(detector, picture))
    properties = {one.key: one.value for one in onnx.load(str(path)).metadata_props}
    assert json.loads(properties[KEY]) == dict(name="a net")


def test_one_size_alone(tmp_path: Path) -> None:
    detector = PlainDetector(small_detector("faster", se=True))
    path = written(tmp_path / "net.onnx", detector, size=(96, 128))
    picture = scene(96, 128)
    assert_same(outputs(path, picture), of_torch(detector, picture))
    with pytest.raises(Exception, match="Got invalid dimensions"):
        outputs(path, scene(128, 96))


def test_candidates(tmp_path: Path) -> None:
    detector = PlainDetector(small_detector("retina", se=True), suppress=False)
    path = written(tmp_path / "net.onnx", detector)
    picture = scene(90, 130)
    assert_same(outputs(path, picture), of_torch(detector, picture))
    assert "NonMaxSuppression" not in {node.op_type for node in onnx.load(str(path)).graph.node}


def test_nothing_is_found(tmp_path: Path) -> None:
    model = small_detector("mask", se=False)
    model.roi_head.test_cfg.score_thr = 1.0
    path = written(tmp_path / "net.onnx", PlainDetector(model))
    assert [len(one) for one in outputs(path, scene(64, 64))] == [0, 0, 0, 0]


def test_half_precision(tmp_path: Path) -> None:
    whole = PlainDetector(small_detector("faster", se=True))
    picture = scene(90, 130)
    expected = of_torch(whole, picture)
    large = written(tmp_path / "large.onnx", whole)
    try:
        half = PlainDetector(small_detector("faster", se=True), precision="fp16")
    except ValueError as error:  # torch 2.1
        pytest.skip(str(error))
    small = written(tmp_path / "small.onnx", half)
    assert small.stat().st_size < 0.6 * large.stat().st_size
    boxes, labels, scores = outputs(small, picture)
    assert boxes.dtype == scores.dtype == np.float32
    # rounded weights move boxes a little, and now and then another one is kept
    near = np.abs(boxes[:, None] - expected[0][None]).max(axis=2) < 1
    near &= labels[:, None] == expected[1][None]
    near &= np.abs(scores[:, None] - expected[2][None]) < 0.02
    assert near.any(axis=1).mean() > 0.9
