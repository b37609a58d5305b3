import json
from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.annotations import Annotations
from senet_mm.coco.slices import read_slices
from tests.coco.coco_cases import random_case, read_truth


@pytest.fixture
def annotations(tmp_path: Path) -> Annotations:
    """Twelve images with ids from 1, named 1.jpg to 12.jpg."""
    return read_truth(tmp_path, random_case(0)[0])


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def as_lists(slices: dict[str, np.ndarray]) -> dict[str, list[int]]:
    return {name: images.tolist() for name, images in slices.items()}


def test_lists_of_ids_or_names(annotations: Annotations, tmp_path: Path) -> None:
    path = written(tmp_path, "s.json", {"night": [3, 1, "2.jpg", 3], "all": list(range(1, 13))})
    expected = {"night": [0, 1, 2], "all": list(range(12))}
    assert as_lists(read_slices(path, annotations)) == expected


def test_columns_of_a_table(annotations: Annotations, tmp_path: Path) -> None:
    text = "\ufefffile_name,weather,lens\n1.jpg,rain,8\n2.jpg,sun,8\n3.jpg,rain,\n"
    expected = {"weather=rain": [0, 2], "weather=sun": [1], "lens=8": [0, 1]}
    assert as_lists(read_slices(written(tmp_path, "s.csv", text), annotations)) == expected
    rows = [
        {"image_id": 1, "weather": "rain", "lens": 8},
        {"image_id": 2, "weather": "sun", "lens": 8},
        {"image_id": 3, "weather": "rain", "lens": None},
    ]
    assert as_lists(read_slices(written(tmp_path, "s.json", rows), annotations)) == expected


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("s.json", {"a": [1, "13.jpg"]}, r"slice 'a' has image '13.jpg'.* 12 of .*; near is '3"),
        ("s.json", {"a": []}, r"slice 'a' is \[\]; expected a list of image ids or file names"),
        ("s.json", {"a": 1}, "slice 'a' is 1; expected a list of image ids"),
        ("s.json", {}, "has no slice; expected a JSON object"),
        ("s.json", [1], "is a list; expected a JSON object"),
        ("s.json", "{", "is no JSON file"),
        ("s.csv", "image,weather\n1,rain\n", r"has the columns \['image', 'weather'\]; expected"),
        ("s.csv", "image_id\n1\n", "has no slice"),
        ("s.csv", "image_id,w\n99,rain\n", "slice 'w=rain' has image '99', which is not among"),
        (
            "s.csv",
            "image_id,lux\n" + "".join(f"1,{lux}\n" for lux in range(21)),
            "column lux has 21 values, as '0'; expected at most 20: put numbers into ranges",
        ),
    ],
)
def test_what_is_wrong_is_named(
    name: str, content: object, problem: str, annotations: Annotations, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=problem) as error:
        read_slices(written(tmp_path, name, content), annotations)
    assert "\n" not in str(error.value)


def test_no_such_file(annotations: Annotations, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"slices .*s\.json not found; expected a JSON"):
        read_slices(tmp_path / "s.json", annotations)
