import json
from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.coco_folder import read_coco_folder

from .test_yolo_folder import touch


def write(file: Path, name: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(dict(images=[dict(id=1, file_name=name)])))
    return file


@pytest.mark.parametrize(
    ("file", "picture", "folder"),
    [
        ("annotations/instances_train2017.json", "train2017/a.jpg", "train2017"),
        ("annotations/instances_train.json", "images/train/a.jpg", "images/train"),
        ("annotations/instances_train2014.json", "images/train2014/a.jpg", "images/train2014"),
        ("annotations/train.json", "images/a.jpg", "images"),
        ("annotations/train.json", "a.jpg", "."),
        ("annotations/instances_train.json", "elsewhere/a.jpg", "train"),
        ("train/_annotations.coco.json", "train/a.jpg", "train"),
    ],
)
def test_files_and_their_pictures(tmp_path: Path, file: str, picture: str, folder: str) -> None:
    path = write(tmp_path / file, "a.jpg")
    touch(tmp_path, picture)
    found = read_coco_folder(tmp_path)
    assert found is not None and found.kind == "COCO" and [*found.places] == ["train"]
    assert found.places["train"].ann_file == path
    assert found.places["train"].image_dir == tmp_path / folder


def test_splits_and_what_is_none(tmp_path: Path) -> None:
    assert read_coco_folder(tmp_path) is None and read_coco_folder(tmp_path / "x.yaml") is None
    write(tmp_path / "valid" / "_annotations.coco.json", "a.jpg")
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_test.json").write_text("{")  # told when it is read
    found = read_coco_folder(tmp_path)
    assert found is not None and [*found.places] == ["val", "test"]
