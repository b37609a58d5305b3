import json
from pathlib import Path

import pytest

from studies.bootstrap_benchmark import benchmark_bootstrap
from studies.synthetic_results import write_data_set
from tests.coco.coco_cases import coco_eval as reference


def test_what_it_reports(tmp_path: Path) -> None:
    ann_file, files = write_data_set(
        tmp_path, num_images=40, num_objects=200, num_classes=3, per_image=10
    )
    benchmark = benchmark_bootstrap(ann_file, files, num_resamples=10)
    assert (benchmark.num_images, benchmark.num_objects) == (40, 200)
    assert benchmark.num_detections == (400, 400)
    assert benchmark.max_difference < 1e-12
    assert benchmark.match_seconds > 0 and benchmark.bootstrap_seconds > 0
    assert 0.05 < benchmark.peak_gigabytes < 50
    truth, results = (json.loads(path.read_text()) for path in (ann_file, files[1]))
    precision = reference(truth, results).stats[0]
    assert benchmark.result.metrics[1]["AP"].value == pytest.approx(precision)
    difference = benchmark.result.differences[0]["AP"]
    assert "40 images, 200 objects, 400 and 400 detections" in benchmark.summary
    assert f"AP difference: {100 * difference.value:+.2f}, 95% interval" in benchmark.summary


def test_annotations_without_objects_are_refused(tmp_path: Path) -> None:
    ann_file, files = write_data_set(tmp_path, num_images=4, num_objects=0, num_classes=2)
    with pytest.raises(ValueError, match=r"annotations\.json has no object"):
        benchmark_bootstrap(ann_file, files)


def test_real_annotations_from_the_command_line(tool, shapes_root: Path, tmp_path: Path) -> None:
    ann_file = shapes_root / "annotations" / "instances_val2017.json"
    arguments = ["--ann-file", ann_file, "--resamples", 20, "--out-dir", tmp_path / "out"]
    printed = tool("bootstrap_benchmark.py", *arguments, folder="studies")
    assert "6 images" in printed and "600 and 600 detections" in printed
    assert "bootstrap, 20 resamples of 2 result sets" in printed
    assert "too few images for an interval" in printed
    assert "senet-mm compare, report included: " in printed
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "first.bbox.json",
        "report",
        "second.bbox.json",
    ]


def test_a_missing_file_is_one_line(tool, tmp_path: Path) -> None:
    arguments = ["--ann-file", tmp_path / "none.json", "--out-dir", tmp_path / "out"]
    assert "none.json" in tool("bootstrap_benchmark.py", *arguments, error=True, folder="studies")
