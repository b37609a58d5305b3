"""Resizing and masks as mmdet has them, without mmdet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.mask_heads.fcn_mask_head import _do_paste_mask
from mmdet.registry import TRANSFORMS
from mmengine.registry import DefaultScope

from senet_mm.export.runtime import OnnxDetector, fit, paste
from tests.export.nets import scene


def about(**changes: object) -> dict:
    return dict(scale=[160, 112], keep_ratio=True, size=None, fill=[104, 116, 124]) | changes


@pytest.mark.parametrize("size", [(200, 300), (301, 203), (40, 90), (97, 97)])
@pytest.mark.parametrize("keep_ratio", [True, False])
def test_resizes_as_mmdet(size: tuple[int, int], keep_ratio: bool) -> None:
    picture = scene(*size)
    with DefaultScope.overwrite_default_scope("mmdet"):
        resize = TRANSFORMS.build(dict(type="Resize", scale=(160, 112), keep_ratio=keep_ratio))
    expected = resize(dict(img=picture, img_shape=size))
    ours, scale = fit(picture, about(keep_ratio=keep_ratio))
    np.testing.assert_array_equal(ours, expected["img"])
    assert scale == pytest.approx(expected["scale_factor"])


def test_a_picture_lies_in_the_corner_of_a_fixed_canvas() -> None:
    canvas, scale = fit(scene(50, 100), about(size=[96, 128]))
    assert canvas.shape == (96, 128, 3) and scale == (1.28, 1.28)
    np.testing.assert_array_equal(canvas[:64], cv2.resize(scene(50, 100), (128, 64)))
    assert (canvas[64:] == [104, 116, 124]).all()


def test_pastes_masks_as_mmdet() -> None:
    rng = np.random.default_rng(0)
    masks = rng.random((4, 28, 28), dtype=np.float32)
    boxes = np.array(
        [[3.2, 4.7, 40.1, 30.9], [-5, -7, 12, 11], [50, 20, 75, 62], [10, 10, 12.5, 40]],
        dtype=np.float32,
    )
    expected, _ = _do_paste_mask(
        torch.from_numpy(masks)[:, None], torch.from_numpy(boxes), 60, 70, skip_empty=False
    )
    for mask, box, theirs in zip(masks, boxes, expected.numpy(), strict=True):
        np.testing.assert_allclose(paste(mask, box, (60, 70)), theirs, atol=2e-5)


def test_an_empty_box_has_no_infinite_values() -> None:
    pasted = paste(np.ones((4, 4), dtype=np.float32), np.array([3.0, 3.0, 3.0, 9.0]), (12, 12))
    assert np.isfinite(pasted).all()


def test_refuses_what_is_no_file_of_ours(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    with pytest.raises(FileNotFoundError, match="none.onnx not found"):
        OnnxDetector(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no graph")
    with pytest.raises(ValueError, match="onnxruntime cannot read"):
        OnnxDetector(tmp_path / "text.onnx")
    helper = onnx.helper
    one = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    two = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [one], [two])
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "x.onnx")
    with pytest.raises(ValueError, match="was not written by senet-mm export"):
        OnnxDetector(tmp_path / "x.onnx")
