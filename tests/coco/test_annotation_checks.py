import json
from pathlib import Path

import pytest

from senet_mm.coco.annotations import Annotations, read_annotations
from tests.coco.coco_cases import random_case

NAN = float("nan")


IMAGE = dict(id=1, file_name="a.jpg", width=10, height=10)
BOX = dict(id=5, image_id=1, category_id=2, bbox=[0, 0, 4, 4], area=16, iscrowd=0)

NO_CROWD = dict(iscrowd=None)


def coco(**parts: object) -> dict:
    return dict(images=[IMAGE], annotations=[BOX], categories=[dict(id=2, name="cat")]) | parts


def write(folder: Path, content: object) -> Path:
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def read(folder: Path, content: object) -> Annotations:
    return read_annotations(write(folder, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<html>", "not a JSON file"),
        ("[]", "not a COCO instances file: it has no list 'images'"),
        (dict(images=[], annotations=[]), "no list 'categories'"),
        (coco(images=[]), "0 images and 1 categories"),
        (coco(annotations=[dict(id=7, image_id=9)]), "annotation 7 has image_id 9"),
        (coco(annotations=[dict(id=7, image_id=1, category_id=3)]), "annotation 7 .*category_id 3"),
        (coco(annotations=[dict(id=7, image_id=1, category_id=2, bbox=[1])]), r"7 has bbox \[1\]"),
        (coco(annotations=[dict(id=7, image_id=1, category_id=2)]), "an entry lacks 'bbox'"),
        (
            coco(annotations=[dict(id=7, image_id=1, category_id=2, bbox=[0, 0, NAN, 1])]),
            r"7 has bbox \[0, 0, nan, 1\]; .*finite",
        ),
        (coco(annotations=[dict(image_id=1)]), r"annotation number 0 \(of image 1\) has no id"),
        (coco(images=["a.jpg"]), "image number 0 is 'a.jpg'; expected an object"),
        (coco(images=[dict(id=1)]), r"an entry lacks 'file_name' \(image 1\)"),
        (coco(images=[dict(IMAGE, file_name=3)]), "image 1 has file_name 3; expected a text"),
        (coco(images=[dict(IMAGE, height="9")]), "image 1 has height '9'; expected a number of"),
        (coco(images=[dict(IMAGE, width=0)]), "image 1 has width 0; expected .* above 0"),
        (coco(categories=[dict(id=2, name=None)]), "category 2 has name None; expected a text"),
        (coco(annotations=[dict(BOX, iscrowd=2)]), "annotation 5 has iscrowd 2; expected 0 or 1"),
        (coco(annotations=[dict(BOX, image_id=[1])]), r"annotation 5 has image_id \[1\]"),
        (coco(annotations=[dict(BOX, bbox=[0, 0, 10**400, 1])]), r"5 has bbox .*finite"),
        (coco(annotations=[dict(BOX, id=2**63)]), "annotation 9223372036854775808 has too large"),
    ],
)
def test_what_is_not_coco_is_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_annotations(write(tmp_path, content))


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


@pytest.mark.parametrize("area", ["9", -1, float("nan")])
def test_an_area_is_a_number_of_pixels(area: object, tmp_path: Path) -> None:
    data, _ = random_case(0)
    data["annotations"][3]["area"] = area
    with pytest.raises(ValueError, match=r"annotation 4 has area .*expected a number of pixels"):
        read(tmp_path, data)


def test_null_is_as_good_as_absent_where_there_is_a_default(tmp_path: Path) -> None:
    file = read(tmp_path, coco(images=[dict(IMAGE, width=None)], annotations=[BOX | NO_CROWD]))
    assert file.image_sizes.tolist() == [[float("inf"), 10]]
    assert file.objects.is_crowd.tolist() == [False]
