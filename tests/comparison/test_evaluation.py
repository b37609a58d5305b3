"""Numbers from files alone."""

import json
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pytest

from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.metrics import coco_metrics
from senet_mm.coco.results import read_results
from senet_mm.comparison.evaluation import evaluate, seed_deviation
from tests.coco.coco_cases import coco_eval, random_case, write_case


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


def test_two_files_and_no_network(tmp_path: Path) -> None:
    truth, results = random_case(0)
    ann_file, worse = write_case(tmp_path, truth, results[::2], "worse_")
    _, better = write_case(tmp_path, truth, results, "better_")
    annotations = read_annotations(ann_file)
    files = {"worse": [worse], "better": [better]}
    detections = {
        name: [read_results(path, annotations) for path in paths] for name, paths in files.items()
    }
    evaluation = evaluate(annotations, detections, num_resamples=20, seed=3)
    assert list(evaluation.matches) == list(evaluation.precision) == ["worse", "better"]
    for metrics, found in zip(evaluation.bootstrap.metrics, (results[::2], results), strict=True):
        assert metrics["AP"].value == pytest.approx(coco_eval(truth, found).stats[0])
    for name, curves in evaluation.precision.items():
        assert {len(curve) for curve in curves.values()} == {101}, name
        assert np.mean(curves["0.50:0.95"]) == pytest.approx(
            evaluation.bootstrap.metrics[list(files).index(name)]["AP"].value
        )
    assert (evaluation.bootstrap.num_resamples, evaluation.bootstrap.seed) == (20, 3)
