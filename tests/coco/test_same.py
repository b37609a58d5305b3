"""When two annotation files say the same."""

from pathlib import Path

import pytest

from senet_mm.coco.annotations import Annotations
from senet_mm.coco.matching import match
from senet_mm.coco.results import read_results
from senet_mm.coco.same import check_same_annotations
from tests.coco.coco_cases import random_case, read_truth, write_case


def test_the_same_annotations_in_another_file_are_the_same(tmp_path: Path) -> None:
    data, results = random_case(0)
    for annotation in data["annotations"]:
        x, y, width, height = annotation["bbox"]
        corners = [x, y, x + width, y, x + width, y + height]
        annotation["segmentation"] = [corners]
    first = read_truth(tmp_path, data, "first.json", masks=True)
    for index, annotation in enumerate(data["annotations"]):
        annotation["id"] = 1000 - index
    data["annotations"].reverse()
    data["images"].reverse()
    second = read_truth(tmp_path, data, "second.json", masks=True)
    # also after one of them was evaluated
    for entry in results:
        entry["segmentation"] = {"size": [400, 400], "counts": [0, 50, 160_000 - 50]}
    _, path = write_case(tmp_path, data, results)
    match(second, read_results(path, second))
    check_same_annotations(first, second)
    data["annotations"][0]["segmentation"] = [[0, 0, 9, 0, 9, 9]]
    with pytest.raises(ValueError, match="differ in objects"):
        check_same_annotations(first, read_truth(tmp_path, data, "third.json", masks=True))


def test_other_annotations_are_refused(tmp_path: Path) -> None:
    def changed(file: str, part: str, index: int, **values: object) -> Annotations:
        data, _ = random_case(0)
        data[part][index].update(values)
        return read_truth(tmp_path, data, file)

    first = read_truth(tmp_path, random_case(0)[0])
    for name, other, message in (
        ("a.json", changed("a.json", "images", 3, id=99), r"1 only in the first, 1 only in the"),
        ("b.json", changed("b.json", "categories", 3, name="cat"), "differ in categories"),
        ("c.json", changed("c.json", "annotations", 0, bbox=[0, 0, 9, 9]), "differ in objects"),
        ("e.json", changed("e.json", "annotations", 0, iscrowd=1), "differ in objects"),
        ("d.json", changed("d.json", "annotations", 0, area=3.5), "differ in objects"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            check_same_annotations(first, other)
        assert name in str(error.value) and "truth.json" in str(error.value)


def as_floats(value: object) -> object:
    """Every number but ids written with a point."""
    if isinstance(value, dict):
        kept = ("id", "image_id", "category_id", "size", "counts")
        return {k: v if k in kept else as_floats(v) for k, v in value.items()}
    if isinstance(value, list):
        return [as_floats(item) for item in value]
    return float(value) if isinstance(value, int) else value


@pytest.mark.parametrize("masks", [False, True])
def test_one_and_one_point_zero_are_the_same(tmp_path: Path, masks: bool) -> None:
    data, _ = random_case(0)
    for annotation in data["annotations"]:
        x, y, width, height = annotation["bbox"] = [int(side) for side in annotation["bbox"]]
        polygon = [x, y, x + width, y, x + width, y + height]
        annotation |= dict(area=width * height, segmentation=[polygon])
    data["annotations"][0]["segmentation"] = {"size": [400, 400], "counts": [0, 9, 160_000 - 9]}
    first = read_truth(tmp_path, data, masks=masks)
    second = read_truth(tmp_path, as_floats(data), "floats.json", masks=masks)
    check_same_annotations(first, second)


def test_pictures_of_another_size_are_others(tmp_path: Path) -> None:
    data, _ = random_case(0)
    first = read_truth(tmp_path, data)
    del data["images"][1]["width"]
    check_same_annotations(first, read_truth(tmp_path, data, "unknown.json"))
    data["images"][2].update(width=200)
    with pytest.raises(ValueError, match=r"give 1 images another width and height, first image 3"):
        check_same_annotations(first, read_truth(tmp_path, data, "other.json"))
