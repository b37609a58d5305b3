from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from senet_mm.comparison.detections import detect
from senet_mm.comparison.inputs import resolve
from tests.attempts import Attempt

from .conftest import SE

pytestmark = pytest.mark.slow


def test_a_detector_is_tested_on_augmented_images(
    attempt: Callable[..., Attempt], se_checkpoint: Path, shapes_root: Path, tmp_path: Path
) -> None:
    data = ["--data-root", shapes_root, "--work-dir", tmp_path / "w"]
    tested = tmp_path / "tested.pkl"
    done = attempt("test", SE, se_checkpoint, "--tta", "--out", tested, *data)
    assert done.code == 0 and "coco/bbox_mAP: " in done.out, done.err
    assert [path.name for path in (tmp_path / "w" / "tta").glob("*.py")]

    # a comparison detects the same, and keeps what it detects without beside it
    sources = [f"{SE},{se_checkpoint}"] * 2
    found = {}
    for tta in (False, True, False, True):
        inputs = resolve(sources, ["a", "b"], out_dir=tmp_path, data_root=str(shapes_root), tta=tta)
        (a,), (b,) = detect(inputs).values()
        assert a.path == b.path and a.path.name == f"epoch_1{'.tta' if tta else ''}.bbox.json"
        assert len(inputs.inferences) == (tta not in found)
        found[tta] = json.loads(a.path.read_text())
    boxes, scores = by_image(found[True])
    plain_boxes, _ = by_image(found[False])
    for image in pickle.loads(tested.read_bytes()):
        name, predicted = image["img_id"], image["pred_instances"]
        corners = boxes[name] + np.pad(boxes[name][:, :2], ((0, 0), (2, 0)))
        assert len(corners) and np.allclose(corners, predicted["bboxes"], atol=1e-3)
        assert np.allclose(scores[name], predicted["scores"], atol=1e-6)
        assert not np.array_equal(boxes[name], plain_boxes[name])


def by_image(results: list[dict]) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Boxes (x, y, width, height) and scores of a results file."""
    ids = {entry["image_id"] for entry in results}
    return tuple(  # type: ignore[return-value]
        {one: np.array([e[key] for e in results if e["image_id"] == one]) for one in ids}
        for key in ("bbox", "score")
    )
