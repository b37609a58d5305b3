from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.records import LabelFolder
from senet_mm.runs.data.layouts.voc_folder import read_voc_folder

from .folders import xml
from .test_yolo_folder import pictures, touch


def label(root: Path, name: str, *classes: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(xml([(one, (1, 1, 9, 9)) for one in classes], size=(9, 9)))


def read(root: Path) -> LabelFolder:
    found = read_voc_folder(root)
    assert found is not None and found.kind == "VOC" and not found.ordered and found.root == root
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    label(tmp_path, "Annotations/a.xml", "dog", "cat")
    label(tmp_path, "Annotations/b.xml", "ant")
    label(tmp_path, "Annotations/t.xml", "bear")
    touch(tmp_path, "JPEGImages/a.jpg", "JPEGImages/b.png", "JPEGImages/c.jpg", "JPEGImages/t.jpg")
    return tmp_path


def write_list(root: Path, split: str, *names: str) -> None:
    file = root / "ImageSets" / "Main" / f"{split}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(names))


def test_lists_choose_the_pictures(root: Path) -> None:
    write_list(root, "train", "c", "a", "")
    write_list(root, "val", "b")
    write_list(root, "test", "t")
    found = read(root)
    # the classes of the test split have no say
    assert found.classes == ("ant", "cat", "dog") and not found.notes
    assert pictures(found, "train") == ["a.jpg", "c.jpg"] and pictures(found, "val") == ["b.png"]
    assert found.splits["train"].samples[0].label == root / "Annotations/a.xml"
    assert found.splits["train"].samples[1].label is None


def test_pictures_that_a_list_names_in_vain(root: Path) -> None:
    write_list(root, "trainval", "a", "x", "y")
    (root / "JPEGImages/a.png").touch()
    missing, twice = read(root).splits["train"].problems
    assert "trainval.txt: 2 of 3 names have no picture in" in missing
    assert missing.endswith("first x in line 2")
    assert "a.xml is the label file of 2 pictures, a.jpg, a.png" in twice


def test_no_lists_and_labels_of_no_picture(root: Path) -> None:
    label(root, "Annotations/lone.xml", "cat")
    found = read(root)
    assert [*found.splits] == ["train"]
    assert pictures(found, "train") == ["a.jpg", "b.png", "c.jpg", "t.jpg"]
    assert "1 label files have no picture and are not read, first" in found.notes[0]


def test_flat_folders(tmp_path: Path) -> None:
    label(tmp_path, "x.xml", "cat")
    (tmp_path / "x.jpg").touch()
    assert pictures(read(tmp_path), "train") == ["x.jpg"]
    label(tmp_path, "train/a.xml", "cat")
    label(tmp_path, "valid/b.xml", "dog")
    touch(tmp_path, "train/a.jpg", "valid/b.jpg", "valid/c.jpg")
    found = read(tmp_path)
    assert found.classes == ("cat", "dog")
    assert pictures(found, "train") == ["a.jpg"] and pictures(found, "val") == ["b.jpg", "c.jpg"]


def test_other_names_of_the_two_folders(tmp_path: Path) -> None:
    label(tmp_path, "annotations/a.xml", "cat")
    (split,) = read(tmp_path).splits.values()
    assert "JPEGImages has no pictures for the label files in" in split.problems[0]
    touch(tmp_path, "images/a.jpg")
    assert pictures(read(tmp_path), "train") == ["a.jpg"]


def test_no_voc_folder(tmp_path: Path) -> None:
    touch(tmp_path, "Annotations/a.json", "JPEGImages/a.jpg", "x.yaml")
    assert read_voc_folder(tmp_path) is None and read_voc_folder(tmp_path / "x.yaml") is None
