from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.accumulate import ALL_METRICS
from senet_mm.coco.annotations import read_annotations
from senet_mm.coco.metrics import coco_metrics
from tests.coco.coco_cases import coco_eval, random_case, read_truth, write_case


def test_reads_classes_and_file_names(tmp_path: Path) -> None:
    data, _ = random_case(0, num_images=3)
    data["images"].reverse()
    data["categories"].reverse()
    file = read_truth(tmp_path, data)
    assert file.categories[0] == (4, "class 4")
    assert file.classes == file.evaluated_classes[::-1]  # in the file's order, as mmdet's labels
    assert file.file_names == ("1.jpg", "2.jpg", "3.jpg")
    assert file.num_annotations == len(data["annotations"])


def test_a_file_without_annotations_is_one_to_predict_on(tmp_path: Path) -> None:
    data, _ = random_case(0)
    del data["annotations"]
    assert read_truth(tmp_path, data).num_annotations == 0


def test_objects_stand_in_the_files_order_and_are_found_by_image(tmp_path: Path) -> None:
    data, _ = random_case(0)
    data["annotations"].reverse()
    data["images"].reverse()
    file = read_truth(tmp_path, data)
    given = data["annotations"]
    assert file.objects.ids.tolist() == [a["id"] for a in given]
    assert file.objects.boxes.tolist() == [a["bbox"] for a in given]
    assert file.objects.area.tolist() == [a["area"] for a in given]
    assert file.objects.is_crowd.tolist() == [a["iscrowd"] == 1 for a in given]
    assert [file.image_ids[i] for i in file.objects.image] == [a["image_id"] for a in given]
    assert [file.category_ids[i] for i in file.objects.category] == [
        a["category_id"] for a in given
    ]
    for start, stop in ((0, 12), (2, 5), (3, 4)):
        ids = file.objects.ids[file.objects_in(start, stop)].tolist()
        wanted = range(start + 1, stop + 1)  # ids of the images
        assert ids == [a["id"] for image in wanted for a in given if a["image_id"] == image]


def test_a_file_is_parsed_once_while_it_stays_the_same(tmp_path: Path) -> None:
    data, _ = random_case(0)
    first = read_truth(tmp_path, data)
    assert read_annotations(first.path) is first
    assert first.objects.masks is None
    data["annotations"].pop()
    assert read_truth(tmp_path, data).num_annotations == first.num_annotations - 1


def test_a_missing_file_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nope\.json not found.*train2017/.*senet-mm demo"):
        read_annotations(tmp_path / "nope.json")


def test_reads_in_the_order_of_ids(tmp_path: Path) -> None:
    data, _ = random_case(0, num_images=3)
    data["images"][1].update(width=50, height=30)
    del data["images"][2]["width"]
    data["images"].reverse()
    data["categories"].reverse()
    truth = read_truth(tmp_path, data)
    assert truth.image_ids == (1, 2, 3)
    assert truth.category_ids == (1, 2, 3, 4)
    assert truth.evaluated_classes == ("class 1", "class 2", "class 3", "class 4")
    np.testing.assert_array_equal(truth.image_sizes, [[400, 400], [50, 30], [np.inf, 400]])


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
        read_truth(tmp_path, data)
