"""senet-mm export and senet-mm infer --onnx: a file that runs without mmdet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_masks

from senet_mm.cli import main as command
from senet_mm.cli.infer_onnx import run_lengths
from senet_mm.export.check import match, predict
from senet_mm.export.runtime import Detections, OnnxDetector
from tests.attempts import Attempt
from tests.export.nets import CLASSES, scene, small_config, small_detector

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

# what an exported file must run without
_BLOCKED = "import sys; sys.modules.update(dict.fromkeys({names!r})); "
_RUN = "sys.argv[0] = 'senet-mm'; from senet_mm.cli.main import main; main({arguments!r})"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A config, its checkpoint and two pictures."""
    folder = tmp_path_factory.mktemp("export")
    places = {name: folder / name for name in ("net.py", "net.pth", "a.png", "b.png")}
    small_config("mask", se=True).dump(places["net.py"])
    model = small_detector("mask", se=True)
    meta = dict(dataset_meta=dict(classes=CLASSES))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), places["net.pth"])
    cv2.imwrite(str(places["a.png"]), scene(90, 130))
    cv2.imwrite(str(places["b.png"]), scene(200, 150, seed=1))
    return places


@pytest.mark.slow
def test_a_file_runs_without_the_framework(files: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "net.onnx"
    pictures = [str(files["a.png"]), str(files["b.png"])]
    command.main(
        ["export", str(files["net.py"]), str(files["net.pth"]), str(out), "--check", *pictures]
    )
    about = OnnxDetector(out).description
    assert about["classes"] == list(CLASSES) and about["scale"] == [160, 112]
    blocked = _BLOCKED.format(names=["mmdet", "mmengine", "mmcv", "torch", "torchvision"])
    run = _RUN.format(arguments=["infer", "--onnx", str(out), *pictures, "--out-dir", "seen"])
    subprocess.run([sys.executable, "-c", blocked + run], cwd=tmp_path, check=True)
    model = small_detector("mask", se=True)
    for path in pictures:
        name = Path(path).stem
        drawn, picture = (
            cv2.imread(str(tmp_path / "seen" / "vis" / f"{name}.png")),
            cv2.imread(path),
        )
        assert drawn.shape == picture.shape and (drawn != picture).any()
        content = json.loads((tmp_path / "seen" / "preds" / f"{name}.json").read_text())
        found = Detections(*(np.array(content[key]) for key in ("bboxes", "labels", "scores")))
        expected = predict(model, picture, about)
        first, second = match(expected, found)
        assert len(first) == len(expected.scores) == len(found.scores) >= 10
        np.testing.assert_allclose(found.boxes[second], expected.boxes[first], atol=1e-2)
        np.testing.assert_allclose(found.scores[second], expected.scores[first], atol=1e-4)
        masks = [coco_masks.frPyObjects(one, *one["size"]) for one in content["masks"]]
        decoded = coco_masks.decode(masks).transpose(2, 0, 1).astype(bool)
        assert (decoded[second] ^ expected.masks[first]).mean() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("option", [["--fold-bn"], ["--size", "128", "160"]], ids=" ".join)
def test_options_leave_what_is_found(
    option: list[str], files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "net.onnx"
    command.main(
        ["export", str(files["net.py"]), str(files["net.pth"]), str(out), *option]
        + ["--check", str(files["a.png"]), str(files["b.png"])]
    )
    told = capsys.readouterr()
    assert "on 2 pictures, 0 not in both" in told.out and "note: more than" not in told.err


@pytest.mark.slow
def test_int8_is_calibrated_and_told(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, folder = tmp_path / "net.onnx", files["a.png"].parent
    command.main(
        ["export", str(files["net.py"]), str(files["net.pth"]), str(out), "--precision", "int8"]
        + ["--calibration-images", str(folder), "--num-images", "1", "--check", str(files["b.png"])]
    )
    told = capsys.readouterr().out
    assert "44 of 65 layers in int8, ranges of 1 pictures" in told
    assert "on 1 pictures" in told and "are found again" in told
    about = OnnxDetector(out).description
    assert about["precision"] == "int8" and about["classes"] == list(CLASSES)
    command.main(["infer", "--onnx", str(out), str(files["b.png"]), "--out-dir", str(tmp_path)])
    assert json.loads((tmp_path / "preds" / "b.json").read_text())["labels"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--precision int8", "--precision int8 needs --calibration-images: pictures, or a folder"),
        ("--calibration-images a.png", "go with --precision int8, not with fp32"),
        ("--precision fp16 --num-images 3", "go with --precision int8, not with fp16"),
        ("--precision int8 --calibration-images none", "none is not there: expected pictures"),
        ("--precision int8 --calibration-images empty", "empty holds no pictures (expected .jpg,"),
        (
            "--precision int8 --calibration-images text.png",
            "text.png is no picture: expected pictures",
        ),
    ],
)
def test_refuses_what_int8_cannot_be_calibrated_on(
    options: str, problem: str, files: dict[str, Path], tmp_path: Path,
    attempt: Callable[..., Attempt], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    refused = attempt("export", files["net.py"], files["net.pth"], "net.onnx", *options.split())
    assert refused.code == 2 and problem in refused.errors[-1]
    assert not list(tmp_path.glob("net.onnx*"))


def test_refuses_in_one_line(
    files: dict[str, Path], tmp_path: Path, attempt: Callable[..., Attempt]
) -> None:
    wrong = attempt("export", files["net.py"], files["net.pth"], tmp_path / "net.pb")
    assert wrong.code == 2 and "expected a name that ends in .onnx" in wrong.errors[0]
    missing = attempt("infer", "--onnx", tmp_path / "none.onnx", files["a.png"])
    assert missing.code == 2 and "none.onnx not found" in missing.errors[0]


def test_run_lengths_are_cocos() -> None:
    rng = np.random.default_rng(0)
    for mask in (rng.random((7, 5)) > 0.5, np.ones((3, 4), bool), np.zeros((3, 4), bool)):
        lengths = run_lengths(mask)
        decoded = coco_masks.decode(coco_masks.frPyObjects(lengths, *lengths["size"]))
        np.testing.assert_array_equal(decoded.astype(bool), mask)
