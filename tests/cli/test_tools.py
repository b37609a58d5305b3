"""The command lines on a small data set, from training to comparison, and on bad input."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from senet_mm.profiling import inference_cost

pytestmark = pytest.mark.slow

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SE = "senet_mm::demo/faster_rcnn_se_r18_fpn_shapes.py"
PLAIN = "senet_mm::demo/faster_rcnn_r18_fpn_shapes.py"


@pytest.fixture(scope="module")
def work_dirs(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two trained runs: the plain one and its SE twin, one epoch each."""
    folder = tmp_path_factory.mktemp("runs")
    dirs = {}
    for name, config in (("plain", PLAIN), ("se", SE)):
        dirs[name] = folder / name
        command = [sys.executable, TOOLS / "train.py", config, "--work-dir", dirs[name]]
        command += ["--data-root", shapes_root, "--seed", "1"]
        command += ["--cfg-options", "train_cfg.max_epochs=1", "train_cfg.val_interval=1"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "coco/bbox_mAP" in done.stdout + done.stderr
    return dirs


def test_make_shapes_writes_reports_and_replaces_only_when_told(tool, tmp_path: Path) -> None:
    options = [tmp_path / "set", "--num-train", 3, "--num-val", 2, "--image-size", 64, 96]
    printed = tool("make_shapes.py", *options)
    assert "train2017: 3 images" in printed and "val2017: 2 images" in printed
    assert f"The set is in {tmp_path / 'set'}" in printed
    assert "--force" in tool("make_shapes.py", *options, "--seed", 1, error=True)
    tool("make_shapes.py", *options, "--seed", 1, "--force")
    for bad in (["--num-val", 0], ["--image-size", 64, 64, 64]):
        assert "expected" in tool("make_shapes.py", tmp_path / "other", *bad, error=True)


def test_test_writes_predictions_and_drawings(tool, work_dirs, shapes_root, tmp_path) -> None:
    out = tmp_path / "predictions.pkl"
    tool(
        "test.py", SE, work_dirs["se"] / "epoch_1.pth", "--data-root", shapes_root,
        "--work-dir", tmp_path, "--out", out, "--show-dir", tmp_path / "drawings",
    )  # fmt: skip
    predictions = pickle.loads(out.read_bytes())
    assert len(predictions) == 6
    assert {"bboxes", "scores", "labels"} <= predictions[0]["pred_instances"].keys()
    assert len(list(tmp_path.glob("drawings/*"))) == 6


def test_infer_draws_with_the_classes_of_the_checkpoint(
    tool, work_dirs, shapes_root, tmp_path
) -> None:
    images = sorted((shapes_root / "val2017").iterdir())[:2]
    config = next(work_dirs["se"].glob("*.py"))
    tool("infer.py", config, work_dirs["se"] / "epoch_1.pth", *images, "--out-dir", tmp_path)
    assert sorted(path.name for path in (tmp_path / "vis").iterdir()) == [i.name for i in images]
    for image in images:
        found = json.loads((tmp_path / "preds" / f"{image.stem}.json").read_text())
        assert found["labels"] and max(found["labels"]) < 7


def test_compare_work_dirs(tool, work_dirs, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(inference_cost, "_SECONDS", 0.5)
    compare = ["compare.py", work_dirs["plain"], work_dirs["se"], "--num-resamples", 20]
    printed = tool(*compare, "--out-dir", tmp_path)
    report = json.loads((tmp_path / "report.json").read_text())
    assert [detector["name"] for detector in report["detectors"]] == ["plain", "se"]
    plain, se = (detector["cost"] for detector in report["detectors"])
    assert 0 < se["parameters"] - plain["parameters"] < 0.02 * plain["parameters"]
    assert plain["inference"]["seconds"] > 0 and plain["inference"]["memory"] > 1e6
    assert plain["seconds_per_iteration"] > 0
    assert report["detectors"][1]["curves"][0]["loss"]
    assert "cannot be told apart: 6 images with objects are too few" in printed
    assert f"{tmp_path / 'report.html'}" in printed
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 7
    for line in (tmp_path / "report.md").read_text().splitlines():
        assert not line.startswith("| plain") or line in printed
    results = json.loads((work_dirs["se"] / "epoch_1.bbox.json").read_text())
    assert {"image_id", "category_id", "bbox", "score"} <= results[0].keys()

    # what is evaluated is not evaluated again
    assert "Epoch(test)" in printed
    assert "Epoch(test)" not in tool(*compare, "--out-dir", tmp_path)


def test_compare_a_checkpoint_with_results_of_another_framework(
    tool, work_dirs, shapes_root, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(inference_cost, "_SECONDS", 0.5)
    config = next(work_dirs["se"].glob("*.py"))
    results = tmp_path / "detectron2.bbox.json"
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    objects = json.loads(ann_file.read_text())["annotations"]
    results.write_text(json.dumps([entry | {"score": 0.9} for entry in objects]))
    pair = f"{config},{work_dirs['se'] / 'epoch_1.pth'}"
    options = ["--out-dir", tmp_path / "out", "--num-resamples", 50, "--names", "se", "perfect"]
    printed = tool("compare.py", pair, results, *options)
    assert "perfect and se cannot be told apart: 6 images with objects are too few" in printed
    slots = (tmp_path / "out" / "detections").glob("faster_rcnn_se_r18_fpn_shapes-*")
    assert [(slot / "epoch_1.bbox.json").is_file() for slot in slots] == [True]
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["bootstrap"]["metrics"][1]["AP"]["value"] == 1
    assert report["detectors"][1]["cost"] is None


def test_compare_bad_input(tool, work_dirs, shapes_root, tmp_path) -> None:
    assert "expected two runs or more" in _usage_error(tool, "compare.py", work_dirs["se"])
    message = tool("compare.py", work_dirs["se"], tmp_path, error=True)
    assert "is no work dir of a training run" in message
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    entry = dict(image_id=1, category_id=1, bbox=[1, 2, 3, 4], score=0.5)
    for wrong, message in (
        (entry | dict(image_id=999), "has image_id 999, which is not among"),
        (entry | dict(category_id=99), "has category_id 99"),
        (entry | dict(score=float("nan")), "has score nan"),
    ):
        for name, entries in (("a.bbox.json", []), ("b.bbox.json", [wrong])):
            (tmp_path / name).write_text(json.dumps(entries))
        files = [tmp_path / "a.bbox.json", tmp_path / "b.bbox.json"]
        assert message in tool("compare.py", *files, "--ann-file", ann_file, error=True)
    assert "give --ann-file" in tool("compare.py", *files, error=True)
    slices = tmp_path / "slices.json"
    slices.write_text(json.dumps({"night": [999]}))
    (tmp_path / "b.bbox.json").write_text("[]")
    message = tool("compare.py", *files, "--ann-file", ann_file, "--slices", slices, error=True)
    assert "slice 'night' has image 999, which is not among" in message
    given = [*files, "--ann-file", ann_file, "--out-dir"]
    assert "choose another --out-dir" in tool("compare.py", *given, files[0], error=True)
    negative = [tmp_path, "--num-images", -1]
    assert "--num-images: -1: expected" in tool("compare.py", *given, *negative, error=True)


def _usage_error(tool, *arguments: object) -> str:
    with pytest.raises(AssertionError, match="error: ") as error:
        tool(*arguments)
    return str(error.value)


@pytest.mark.parametrize("name", ["train.py", "test.py", "infer.py"])
def test_a_missing_config(tool, name: str, shapes_root: Path) -> None:
    image = next((shapes_root / "val2017").iterdir())
    rest = {"train.py": [], "test.py": ["x.pth"], "infer.py": [image, image]}[name]
    assert "nope.py not found" in tool(name, "nope.py", *rest, error=True)


def test_train_refuses_what_cannot_work(tool, shapes_root: Path, tmp_path: Path) -> None:
    config, work_dir = "senet_mm::ablations/table10_r16.py", ["--work-dir", tmp_path / "w"]
    assert "would freeze random ones" in tool("train.py", config, *work_dir, error=True)
    missing = tool("train.py", PLAIN, "--data-root", tmp_path / "none", *work_dir, error=True)
    assert "is no folder. Expected is COCO's layout" in missing and "senet-mm demo" in missing
    data = ["--data-root", shapes_root]
    (tmp_path / "file").touch()
    blocked = ["--work-dir", tmp_path / "file" / "w"]
    assert "cannot write to the work dir" in tool("train.py", PLAIN, *data, *blocked, error=True)
    for option, message in (
        ("model.backbone.depth=20", "depth=20: expected one of [18, 34, 50, 101, 152]"),
        ("model.backbone.num_stages=7", "num_stages=7: expected one of"),
        ("model.backbone.se_cfg.reduction=65", "layer1 of SEResNet: reduction=65"),
        ("model.backbone.se_cfg.ratio=4", "layer1 has unknown keys ['ratio']"),
    ):
        arguments = [SE, *data, *work_dir, "--cfg-options", option]
        assert message in tool("train.py", *arguments, error=True)
    resume = ["--resume", tmp_path / "none.pth"]
    assert "none.pth not found" in tool("train.py", SE, *data, *work_dir, *resume, error=True)


def test_a_corrupt_image_is_named(tool, shapes_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "shapes"
    shutil.copytree(shapes_root, root)
    images = json.loads((root / "annotations" / "instances_train2017.json").read_text())["images"]
    for image in images:
        (root / "train2017" / image["file_name"]).write_bytes(b"no picture")
    message = tool(
        "train.py", SE, "--data-root", root, "--work-dir", tmp_path / "w", error=True
    )  # fmt: skip
    assert "17 pictures of" in message and "cannot be read" in message
    assert str(root / "train2017") in message


def test_a_checkpoint_of_another_architecture(tool, work_dirs, shapes_root, tmp_path) -> None:
    checkpoint = work_dirs["plain"] / "epoch_1.pth"
    data = ["--data-root", shapes_root, "--work-dir", tmp_path]
    message = tool("test.py", SE, checkpoint, *data, error=True)
    assert "have no SE in layer1, layer2, layer3, layer4" in message
    image = next((shapes_root / "val2017").iterdir())
    config = next(work_dirs["se"].glob("*.py"))
    assert "have no SE in layer1" in tool("infer.py", config, checkpoint, image, error=True)
    truncated = tmp_path / "half.pth"
    truncated.write_bytes(checkpoint.read_bytes()[:100_000])
    assert "truncated or no checkpoint" in tool("test.py", SE, truncated, *data, error=True)


def test_complexity_prints_the_pair(tool) -> None:
    names = ("senet_mm::faster_rcnn_r50_fpn.py", "senet_mm::faster_rcnn_se_r50_fpn.py")
    printed = tool("complexity.py", *names, "--size", 64, 64)
    assert "28,088,024" in printed and "+2,530,992" in printed
    assert "Unsupported" not in printed


def test_infer_names_a_missing_picture(tool) -> None:
    message = tool("infer.py", SE, "x.pth", "nope.jpg", error=True)
    assert "there is no picture to look at: nope.jpg is not there" in message


def test_images_without_objects_are_left_out_of_training(work_dirs) -> None:
    log = next(work_dirs["se"].glob("*/*.log")).read_text()
    assert "[1][4/4]" in log  # 16 of the 17 images, by 4


def test_the_same_seed_gives_the_same_weights(tool, work_dirs, shapes_root, tmp_path) -> None:
    tool(
        "train.py", SE, "--data-root", shapes_root, "--work-dir", tmp_path, "--seed", "1",
        "--cfg-options", "train_cfg.max_epochs=1", "train_cfg.val_interval=2",
    )  # fmt: skip
    first, second = (
        torch.load(folder / "epoch_1.pth", weights_only=False)["state_dict"]
        for folder in (work_dirs["se"], tmp_path)
    )
    for key, value in first.items():
        assert torch.equal(value, second[key]), key
