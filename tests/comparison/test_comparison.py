import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import pytest
from mmdet.datasets import CocoDataset
from mmengine.config import Config

from senet_mm.coco.metrics import coco_metrics
from senet_mm.comparison import inputs as entries_module
from senet_mm.comparison.comparison import compare, seed_deviation
from senet_mm.comparison.inputs import Entry
from senet_mm.comparison.report.tables import notes
from senet_mm.compat.packaged_configs import config_path
from senet_mm.paper import detection_row_of
from senet_mm.runs.data_root import set_data_root
from senet_mm.runs.work_dir import Run
from tests.coco.coco_cases import coco_eval


def test_metrics_are_those_of_each_file_and_their_mean(compared, results_files) -> None:
    comparison, _ = compared
    ann_file = comparison.ann_file
    single = [coco_metrics(ann_file, path) for path in results_files]
    good, poor = comparison.bootstrap.metrics
    for name, value in single[0].items():
        if value == -1:  # no large object is there
            assert good[name].value is poor[name].value is None
            continue
        expected = mean(run[name] for run in single[1:])
        assert (good[name].value, poor[name].value) == pytest.approx((value, expected))
        difference = comparison.bootstrap.differences[0][name]
        assert difference.value == pytest.approx(expected - value)
        runs = [run[name] for run in comparison.bootstrap.run_metrics[1]]
        assert seed_deviation(runs) == pytest.approx(stdev(run[name] for run in single[1:]))
    whole = [json.loads(path.read_text()) for path in (ann_file, results_files[0])]
    assert single[0]["AP"] == pytest.approx(coco_eval(*whole).stats[0], abs=1e-12)
    assert comparison.bootstrap.differences[0]["AP"].high < 0


def test_what_was_compared(compared, results_files, shapes_root: Path) -> None:
    comparison, evaluated = compared
    assert comparison.names == ("good", "poor")
    assert comparison.detectors[1].results_files == tuple(results_files[1:])
    assert comparison.num_images == 6
    objects = json.loads(comparison.ann_file.read_text())["annotations"]
    assert comparison.num_objects == len([a for a in objects if not a["iscrowd"]])
    assert evaluated.image_dir == shapes_root / "val2017"
    json.dumps(asdict(comparison), default=str)


def test_what_cannot_be_compared(results_files, shapes_root: Path, tmp_path: Path) -> None:
    good, poor, _ = (Entry(path.stem, str(path), results=path) for path in results_files)
    with pytest.raises(ValueError, match="give --ann-file"):
        compare([good, poor])
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    with pytest.raises(ValueError, match=r"only \['run0.bbox'\] to compare.*two detectors or more"):
        compare([good, good], ann_file=ann_file)
    train = shapes_root / "annotations" / "instances_train2017.json"
    data = json.loads(train.read_text())
    for image in data["images"]:
        image["id"] += 1000
    for annotation in data["annotations"]:
        annotation["image_id"] += 1000
    (tmp_path / "train.json").write_text(json.dumps(data))
    with pytest.raises(
        ValueError, match="image_id .* not among the 17 .*another data set or split"
    ):
        compare([good, poor], ann_file=tmp_path / "train.json")


@pytest.fixture
def run_of(shapes_root: Path, tmp_path: Path) -> Callable[[str, str], Entry]:
    """A run, never started, whose test set is a split."""

    def make(name: str, split: str, config: str = "demo/faster_rcnn_r18_fpn_shapes.py") -> Entry:
        cfg = Config.fromfile(config_path(config))
        set_data_root(cfg, shapes_root)
        dataset = cfg.test_dataloader.dataset
        dataset.ann_file = f"annotations/instances_{split}2017.json"
        dataset.data_prefix.img = f"{split}2017/"
        return Entry(name, name, run=Run(tmp_path, cfg, tmp_path / "x.pth"))

    return make


@pytest.fixture
def no_inference(monkeypatch) -> None:
    def fail(run: Run) -> None:
        raise AssertionError("inference before the input was checked")

    monkeypatch.setattr(entries_module, "detect", fail)


def test_runs_on_different_annotations(run_of, no_inference) -> None:
    entries = [run_of("a", "val"), run_of("b", "train")]
    with pytest.raises(
        ValueError, match="different images cannot be compared: .*val2017.*train2017"
    ):
        compare(entries)


def test_given_annotations_must_be_those_of_the_runs(
    run_of, no_inference, results_files, shapes_root: Path, tmp_path: Path
) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    file = Entry("file", "file", results=results_files[0])
    with pytest.raises(ValueError, match=r"--ann-file is not the test set of a run.*val2017.*trai"):
        compare([file, run_of("run", "train")], ann_file=ann_file)
    shutil.copy(ann_file, tmp_path / "same.json")
    with pytest.raises(AssertionError, match="inference"):
        compare([file, run_of("run", "val")], ann_file=tmp_path / "same.json")


def test_bad_input_fails_before_inference(
    run_of, no_inference, shapes_root: Path, tmp_path: Path
) -> None:
    entries = [run_of("a", "val"), run_of("b", "val")]
    for options, message in (
        (dict(confidence=95), "confidence is 95"),
        (dict(num_resamples=1), "num_resamples is 1"),
    ):
        with pytest.raises(ValueError, match=message):
            compare(entries, **options)
    with pytest.raises(FileNotFoundError, match="--image-dir .*nowhere is no folder"):
        compare(entries, image_dir=tmp_path / "nowhere")
    (tmp_path / "bad.bbox.json").write_text("[{}]")
    bad = Entry("bad", "bad", results=tmp_path / "bad.bbox.json")
    with pytest.raises(ValueError, match="entry 0 lacks"):
        compare([*entries, bad])
    entries[1].run.config.test_dataloader.dataset.data_prefix.img = "nope/"
    with pytest.raises(FileNotFoundError, match="image folder .*nope not found"):
        compare(entries)


def test_what_is_out_of_the_ordinary_is_noted(
    run_of, results_files, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(entries_module, "detect", lambda run: results_files[0])
    found = json.loads(results_files[1].read_text())
    found[0]["bbox"][0] = -9
    (tmp_path / "edge.bbox.json").write_text(json.dumps(found))
    run = run_of("run", "val", "faster_rcnn_se_r50_fpn.py")
    run.run.config.test_dataloader.dataset.pipeline = [dict(type="LoadImageFromFile")]
    entries = [run, Entry("edge", "edge", results=tmp_path / "edge.bbox.json")]
    with pytest.warns(UserWarning, match="reach over"):
        comparison, _ = compare(entries, num_resamples=2)
    assert comparison.detectors[0].cost is None
    assert comparison.detectors[0].paper is None  # seven classes are not COCO's
    text = " ".join(notes(comparison))
    assert f"1 of {len(found)} boxes of edge.bbox.json reach over" in text
    assert "The cost of run was not measured: the test pipeline has no Resize" in text


def test_the_papers_row_stands_beside_cocos_classes_and_boxes_only(
    run_of, results_files, monkeypatch, shapes_root: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(entries_module, "detect", lambda run: results_files[0])
    run = run_of("run", "val", "faster_rcnn_se_r50_fpn.py")
    dataset = run.run.config.test_dataloader.dataset
    truth = json.loads((shapes_root / dataset.ann_file).read_text())
    names = CocoDataset.METAINFO["classes"]
    truth["categories"] = [dict(id=i, name=name) for i, name in enumerate(names)]
    (tmp_path / "coco.json").write_text(json.dumps(truth))
    dataset.ann_file = str(tmp_path / "coco.json")
    dataset.pipeline = []
    entries = [run, Entry("file", "file", results=results_files[1])]
    comparison, _ = compare(entries, num_resamples=2)
    assert comparison.detectors[0].paper == detection_row_of("faster_rcnn_se_r50_fpn")
