import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.accumulate import ALL_METRICS
from senet_mm.coco.matches import match
from senet_mm.coco.metrics import coco_metrics
from senet_mm.coco.results import read_results
from senet_mm.coco.truth import Truth, check_same_truth, read_truth
from tests.coco.coco_cases import coco_eval, random_case, write_case


def read(folder: Path, truth: dict, name: str = "truth.json") -> Truth:
    path = folder / name
    path.write_text(json.dumps(truth))
    return read_truth(path)


def test_reads_in_the_order_of_ids(tmp_path: Path) -> None:
    data, _ = random_case(0, num_images=3)
    data["images"][1].update(width=50, height=30)
    del data["images"][2]["width"]
    data["images"].reverse()
    data["categories"].reverse()
    truth = read(tmp_path, data)
    assert truth.image_ids == (1, 2, 3)
    assert truth.category_ids == (1, 2, 3, 4)
    assert truth.classes == ("class 1", "class 2", "class 3", "class 4")
    np.testing.assert_array_equal(truth.image_sizes, [[400, 400], [50, 30], [np.inf, 400]])


@pytest.mark.parametrize("part", ["images", "categories", "annotations"])
def test_repeated_ids_are_refused(part: str, tmp_path: Path) -> None:
    data, _ = random_case(0)
    data[part].append(dict(data[part][1]))
    with pytest.raises(ValueError, match=f"1 ids of '{part}' are there more than once, first 2"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("part", "key", "message"),
    [
        ("images", "9", "ids of 'images' are int and str; expected all int or all str"),
        ("categories", 2.5, "ids of 'categories' are float and int"),
        ("annotations", "9", "ids of 'annotations' are int and str; expected all int"),
    ],
)
def test_ids_of_a_wrong_kind(part: str, key: object, message: str, tmp_path: Path) -> None:
    data, _ = random_case(0)
    data["annotations" if part == "annotations" else part].append({**data[part][0], "id": key})
    with pytest.raises(ValueError, match=message):
        read(tmp_path, data)


@pytest.mark.parametrize("area", [None, "9", -1, float("nan")])
def test_an_object_needs_an_area(area: object, tmp_path: Path) -> None:
    data, _ = random_case(0)
    data["annotations"][3]["area"] = area
    with pytest.raises(ValueError, match=r"annotation 4 has area .*expected a number of pixels"):
        read(tmp_path, data)


def test_an_object_without_iscrowd_is_no_crowd(tmp_path: Path) -> None:
    data, results = random_case(0)
    for annotation in data["annotations"]:
        annotation["iscrowd"] = 0
    expected = coco_eval(data, results).stats
    for annotation in data["annotations"]:
        del annotation["iscrowd"]
    metrics = coco_metrics(*write_case(tmp_path, data, results))
    assert metrics["AP"] == pytest.approx(expected[ALL_METRICS.index("AP")])


def test_annotation_id_0_is_warned_of(tmp_path: Path) -> None:
    data, _ = random_case(0)
    data["annotations"][0]["id"] = 0
    with pytest.warns(UserWarning, match="number annotations from 1"):
        read(tmp_path, data)


def test_the_same_annotations_in_another_file_are_the_same(tmp_path: Path) -> None:
    data, results = random_case(0)
    for annotation in data["annotations"]:
        x, y, width, height = annotation["bbox"]
        corners = [x, y, x + width, y, x + width, y + height]
        annotation["segmentation"] = [corners]
    first = read(tmp_path, data, "first.json")
    for index, annotation in enumerate(data["annotations"]):
        annotation["id"] = 1000 - index
    data["annotations"].reverse()
    data["images"].reverse()
    second = read(tmp_path, data, "second.json")
    # also after one of them was evaluated
    for entry in results:
        entry["segmentation"] = {"size": [400, 400], "counts": [0, 50, 160_000 - 50]}
    _, path = write_case(tmp_path, data, results)
    match(second, read_results(path, second))
    check_same_truth(first, second)


def test_other_annotations_are_refused(tmp_path: Path) -> None:
    def changed(file: str, part: str, index: int, **values: object) -> Truth:
        data, _ = random_case(0)
        data[part][index].update(values)
        return read(tmp_path, data, file)

    first = read(tmp_path, random_case(0)[0])
    for name, other, message in (
        ("a.json", changed("a.json", "images", 3, id=99), r"1 only in the first, 1 only in the"),
        ("b.json", changed("b.json", "categories", 3, name="cat"), "differ in categories"),
        ("c.json", changed("c.json", "annotations", 0, bbox=[0, 0, 9, 9]), "differ in objects"),
        ("e.json", changed("e.json", "annotations", 0, iscrowd=1), "differ in objects"),
        ("d.json", changed("d.json", "annotations", 0, area=3.5), "differ in objects"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            check_same_truth(first, other)
        assert name in str(error.value) and "truth.json" in str(error.value)
