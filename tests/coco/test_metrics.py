import json
from pathlib import Path

import pytest

from senet_mm.coco.metrics import METRICS, coco_metrics


def results_of(ann_file: Path, scale: float = 1.0) -> list[dict]:
    """The ground truth as detections, each box shrunk around its corner."""
    found = []
    for box in json.loads(ann_file.read_text())["annotations"]:
        x, y, width, height = box["bbox"]
        found.append(
            dict(
                image_id=box["image_id"],
                category_id=box["category_id"],
                bbox=[x, y, width * scale, height],
                score=0.9,
            )
        )
    return found


@pytest.fixture
def ann_file(shapes_root: Path) -> Path:
    return shapes_root / "annotations" / "instances_val2017.json"


def evaluate(ann_file: Path, results: list[dict], tmp_path: Path) -> dict[str, float]:
    path = tmp_path / "results.bbox.json"
    path.write_text(json.dumps(results))
    return coco_metrics(ann_file, path)


def test_the_truth_itself_is_perfect(ann_file: Path, tmp_path: Path) -> None:
    metrics = evaluate(ann_file, results_of(ann_file), tmp_path)
    assert tuple(metrics) == METRICS
    assert all(value in (pytest.approx(1.0), -1) for value in metrics.values())


def test_boxes_at_iou_0_62_count_at_three_of_ten_thresholds(ann_file: Path, tmp_path) -> None:
    metrics = evaluate(ann_file, results_of(ann_file, scale=0.62), tmp_path)
    # 0.5, 0.55 and 0.6; objects that lie in each other may add a match, none can be lost
    assert metrics["AP"] == pytest.approx(0.3, abs=0.02)
    assert metrics["AP50"] == pytest.approx(1.0)
    assert metrics["AP75"] < 0.05


def test_no_detection_is_zero(ann_file: Path, tmp_path: Path) -> None:
    assert evaluate(ann_file, [], tmp_path)["AP"] == 0


def test_a_class_without_instances_does_not_count(ann_file: Path, tmp_path: Path) -> None:
    data = json.loads(ann_file.read_text())
    data["categories"].append(dict(id=99, name="nowhere"))
    more = tmp_path / "more.json"
    more.write_text(json.dumps(data))
    results = results_of(ann_file)
    assert evaluate(more, results, tmp_path)["AP"] == pytest.approx(1.0)
