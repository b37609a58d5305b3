import json
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev

import pytest
from coco_cases import coco_eval
from mmengine.config import Config

from senet_mm.compat.packaged_configs import config_path
from senet_mm.evaluation.coco_metrics import coco_metrics
from senet_mm.evaluation.comparison import compare, seed_deviation
from senet_mm.evaluation.entries import Entry
from senet_mm.evaluation.runs import Run
from senet_mm.utils.data_root import set_data_root


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


def test_runs_on_different_annotations(shapes_root: Path, tmp_path: Path) -> None:
    entries = []
    for name, file in (("a", "instances_val2017.json"), ("b", "instances_train2017.json")):
        cfg = Config.fromfile(config_path("demo/faster_rcnn_r18_fpn_shapes.py"))
        set_data_root(cfg, shapes_root)
        cfg.test_dataloader.dataset.ann_file = f"annotations/{file}"
        entries.append(Entry(name, name, run=Run(tmp_path, cfg, tmp_path / "x.pth")))
    with pytest.raises(
        ValueError, match="different images cannot be compared: .*val2017.*train2017"
    ):
        compare(entries)
