"""Pictures and videos through ``senet-mm infer``, with a small detector of random weights."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.attempts import Attempt
from tests.runs.inference.videos import greys_of, write_video

from .conftest import SE

pytestmark = pytest.mark.slow

Run = Callable[..., Attempt]
CONFIG = f"""_base_ = "{SE}"
model = dict(
    test_cfg=dict(rpn=dict(nms_pre=50, max_per_img=20), rcnn=dict(score_thr=0.0, max_per_img=5))
)
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(32, 32), keep_ratio=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that is quick: small pictures and few proposals."""
    path = tmp_path_factory.mktemp("small") / "small.py"
    path.write_text(CONFIG)
    return path


def detections(folder: Path) -> tuple[dict[int, dict], list[dict]]:
    """The images by their ids, and what was found."""
    images = json.loads((folder / "images.json").read_text())["images"]
    return {image["id"]: image for image in images}, json.loads(
        (folder / "detections.json").read_text()
    )


def test_a_video_of_100_frames(attempt: Run, small: Path, se_checkpoint: Path, tmp_path) -> None:
    video = write_video(tmp_path / "v.avi", [2 * number for number in range(100)])
    out = tmp_path / "out"
    line = ("infer", small, se_checkpoint, video, "--out-dir", out, "--batch-size", 8)
    tried = attempt(*line, "--score-thr", 1)
    assert tried.code == 0, tried.err
    assert "100 pictures in " in tried.out and f"drawings in {out}/vis" in tried.out
    made = {path.relative_to(out).as_posix() for path in out.rglob("*.*")}
    assert made == {"detections.json", "images.json", "vis/v.mp4"}
    assert greys_of(out / "vis" / "v.mp4") == pytest.approx([2 * n for n in range(100)], abs=8)
    images, found = detections(out)
    assert [image["frame_id"] for image in images.values()] == [*range(100)]
    assert {entry["image_id"] for entry in found} == {*images}


@pytest.mark.parametrize("options", [(), ("--tta",)])
def test_it_finds_what_test_finds(
    attempt: Run, small: Path, se_checkpoint: Path, shapes_root: Path, tmp_path: Path, options
) -> None:
    out, predictions = tmp_path / "out", tmp_path / "p.pkl"
    data = ("--data-root", shapes_root, "--work-dir", tmp_path / "w", "--out", predictions)
    tried = attempt("test", small, se_checkpoint, *data, *options)
    assert tried.code == 0, tried.err
    line = ("infer", small, se_checkpoint, shapes_root / "val2017", "--out-dir", out, *options)
    tried = attempt(*line, "--batch-size", 4, "--no-draw")
    assert tried.code == 0, tried.err
    assert not (out / "vis").exists()
    images, found = detections(out)
    for expected in pickle.loads(predictions.read_bytes()):
        [number] = [key for key, one in images.items() if one["file_name"] == expected["img_path"]]
        own = [entry for entry in found if entry["image_id"] == number]
        truth = expected["pred_instances"]
        assert [entry["category_id"] - 1 for entry in own] == truth["labels"].tolist()
        scores = [entry["score"] for entry in own]
        np.testing.assert_allclose(scores, truth["scores"].numpy(), rtol=1e-4)
        boxes = np.array([entry["bbox"] for entry in own])
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(boxes, truth["bboxes"].numpy(), atol=1e-2)


def test_classes_and_odd_pictures(
    attempt: Run, small: Path, se_checkpoint: Path, shapes_root: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = cv2.imread(str(next((shapes_root / "val2017").iterdir())))
    Path("pics/deep").mkdir(parents=True)
    for name, image in (
        ("a.png", whole),
        ("deep/a.png", whole[:, :100]),
        ("line.png", whole[:1].repeat(9, 1)),
    ):
        cv2.imwrite(f"pics/{name}", image)
    Path("pics/a.png").rename("noext")
    Path("pics/broken.jpg").write_text("no picture")
    line = ("infer", small, se_checkpoint, "noext", "pics", "p*/none*", "none.jpg")
    tried = attempt(*line, "--classes", "ring", "star")
    assert tried.code == 2 and len(tried.errors) == 1 and "Traceback" not in tried.err, tried.err
    assert tried.errors[0].startswith("error: 4 inputs were left out: p*/none* matches no file; ")
    for name in (
        "none.jpg is not there",
        "pics/broken.jpg cannot be read",
        "pics/line.png (1152x1)",
    ):
        assert name in tried.errors[0] and f"note: {name}" in tried.err
    made = {path.relative_to("outputs").as_posix() for path in Path("outputs").rglob("*.*")}
    assert made == {
        "detections.json", "images.json", "vis/noext.jpg", "preds/noext.json",
        "deep/vis/a.png", "deep/preds/a.json",
    }  # fmt: skip
    content = json.loads(Path("outputs/images.json").read_text())
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    found = detections(Path("outputs"))[1]
    assert {names[entry["category_id"]] for entry in found} <= {"ring", "star"}
    tried = attempt(*line[:4], "--classes", "rign")
    assert "--classes rign: the detector knows" in tried.errors[0]
    assert "did you mean 'ring'?" in tried.errors[0]


@pytest.mark.parametrize("given", [["none.jpg"], ["0x"], ["99"], ["http://127.0.0.1:9/x.jpg"]])
def test_nothing_to_look_at(attempt: Run, small: Path, tmp_path: Path, given: list[str]) -> None:
    tried = attempt("infer", small, "none.pth", *given, "--out-dir", tmp_path / "out")
    assert tried.code == 2 and len(tried.errors) == 1, tried.err
    assert tried.errors[0].startswith("error: there is no picture to look at: ")


def test_a_config_without_test_pictures(attempt: Run, se_checkpoint: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.py"
    config.write_text(
        f"_base_ = '{SE}'\ntest_dataloader = None\ntest_cfg = test_evaluator = None\n"
    )
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((64, 64, 3), dtype=np.uint8))
    tried = attempt("infer", config, se_checkpoint, tmp_path / "x.png", "--out-dir", tmp_path / "o")
    assert tried.code == 2 and len(tried.errors) == 1, tried.err
    assert "test_dataloader.dataset.pipeline is missing" in tried.errors[0]
