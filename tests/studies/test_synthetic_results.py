import json
from pathlib import Path

import numpy as np

from studies.synthetic_results import make_results, make_truth, write_data_set
from tests.coco.coco_cases import coco_eval


def test_a_data_set_like_val2017() -> None:
    truth = make_truth()
    objects = truth["annotations"]
    assert (len(truth["images"]), len(truth["categories"]), len(objects)) == (5000, 80, 36_781)
    areas = np.array([annotation["area"] for annotation in objects])
    assert 0.35 < (areas < 32**2).mean() < 0.45
    assert 0.2 < (areas > 96**2).mean() < 0.3
    assert 0.005 < np.mean([annotation["iscrowd"] for annotation in objects]) < 0.015
    assert len({annotation["category_id"] for annotation in objects}) == 80
    results = make_results({**truth, "images": truth["images"][:20]})
    assert len(results) == 20 * 100
    assert len({(entry["image_id"], *entry["bbox"]) for entry in results}) == 20 * 100


def test_quality_and_seed(tmp_path: Path) -> None:
    truth = make_truth(num_images=100, num_objects=700, num_classes=5)
    assert truth != make_truth(num_images=100, num_objects=700, num_classes=5, seed=1)
    worse = make_results(truth, per_image=20)
    assert worse == make_results(truth, per_image=20)
    assert worse != make_results(truth, per_image=20, seed=1)
    better = make_results(truth, per_image=20, quality=1)
    precision = [coco_eval(truth, results).stats[0] for results in (worse, better)]
    assert 0.1 < precision[0] < precision[1] - 0.05 < 0.9


def test_written_files(tmp_path: Path, shapes_root: Path) -> None:
    options = dict(num_images=5, num_objects=20, num_classes=2, per_image=4)
    ann_file, (first, second) = write_data_set(tmp_path / "new", **options)
    assert len(json.loads(ann_file.read_text())["annotations"]) == 20
    assert len(json.loads(first.read_text())) == len(json.loads(second.read_text())) == 20
    given = shapes_root / "annotations" / "instances_val2017.json"
    ann_file, (first, _) = write_data_set(tmp_path / "given", ann_file=given, per_image=10)
    assert ann_file == given
    assert len(json.loads(first.read_text())) == 6 * 10


def test_from_the_command_line(tool, tmp_path: Path) -> None:
    options = ["--images", 5, "--objects", 20, "--classes", 2]
    printed = tool("synthetic_results.py", tmp_path, *options, folder="studies")
    names = ("annotations.json", "first.bbox.json", "second.bbox.json")
    assert printed.split() == [str(tmp_path / name) for name in names]
