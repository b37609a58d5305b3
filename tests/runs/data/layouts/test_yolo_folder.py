"""Folders as ultralytics takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.records import LabelFolder
from senet_mm.runs.data.layouts.yolo_folder import read_yolo_folder

from .folders import write_yaml

NAMES = ["cat", "dog"]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def read(root: Path) -> LabelFolder:
    found = read_yolo_folder(root)
    assert found is not None and found.kind == "YOLO" and found.ordered
    return found


def pictures(folder: LabelFolder, split: str) -> list[str]:
    return [one.picture.name for one in folder.splits[split].samples]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    touch(
        tmp_path,
        *("images/train/a.jpg", "images/train/deep/b.PNG", "images/train/.hidden.jpg"),
        *("images/train/note.md", "images/val/c.jpg"),
        *("labels/train/a.txt", "labels/train/deep/b.txt"),
    )
    return tmp_path


def test_folders_of_pictures(root: Path) -> None:
    write_yaml(root, names=NAMES, nc=2, train="images/train", val="images/val", test="")
    found = read(root)
    assert found.classes == ("cat", "dog") and found.root == root and not found.notes
    assert [*found.splits] == ["train", "val"]
    a, b = found.splits["train"].samples
    assert (a.picture, a.label) == (root / "images/train/a.jpg", root / "labels/train/a.txt")
    assert (b.picture.name, b.label) == ("b.PNG", root / "labels/train/deep/b.txt")
    (c,) = found.splits["val"].samples
    assert c.label is None  # background
    # the file itself may be named, whatever it is called
    own = (root / "data.yaml").rename(root / "cats.yml")
    assert read(own).splits == found.splits == read(root).splits


@pytest.mark.parametrize("path", [".", "", None, "/of/another/machine", "nowhere"])
def test_the_path_of_the_file(root: Path, path: str | None) -> None:
    names = {0: "cat", 1: "dog"}
    write_yaml(root, path=path, names=names, train="images/train", validation="images/val")
    assert pictures(read(root), "train") == ["a.jpg", "b.PNG"]
    assert pictures(read(root), "val") == ["c.jpg"]


def test_a_path_that_is_there_holds(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    write_yaml(other, path=str(root), names=NAMES, train="images/train", val="images/val")
    assert pictures(read(other), "train") == ["a.jpg", "b.PNG"]
    assert read(other).root == other


def test_lists_of_pictures_and_several_of_them(root: Path) -> None:
    absolute = root / "images/val/c.jpg"
    (root / "train.txt").write_text(
        f"./images/train/a.jpg\n\nimages/train/deep/b.PNG\n{absolute}\n"
    )
    write_yaml(root, names=NAMES, train="train.txt", val=["images/val", "images/train/deep"])
    assert pictures(read(root), "train") == ["a.jpg", "b.PNG", "c.jpg"]
    assert pictures(read(root), "val") == ["b.PNG", "c.jpg"]
    (root / "train.txt").write_text("images/train/a.jpg\nimages/train/z.jpg\n")
    split = read(root).splits["train"]
    assert len(split.samples) == 1
    assert "train.txt: 1 of 2 pictures are not there, first images/train/z.jpg in line 2" in str(
        split.problems
    )


def test_roboflows_layout(tmp_path: Path) -> None:
    touch(tmp_path, "train/images/a.jpg", "train/labels/a.txt", "valid/images/b.jpg")
    write_yaml(tmp_path, names=NAMES, train="../train/images", val="../valid/images")
    found = read(tmp_path)
    assert pictures(found, "val") == ["b.jpg"] and not found.splits["val"].problems
    assert found.splits["train"].samples[0].label == tmp_path / "train/labels/a.txt"


def test_labels_beside_pictures_and_without_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.jpg", "train/a.txt", "train/b.jpg")
    write_yaml(tmp_path, names=NAMES, train="train")
    samples = read(tmp_path).splits["train"].samples
    assert [one.label for one in samples] == [tmp_path / "train/a.txt", None]
    (tmp_path / "data.yaml").unlink()
    assert read_yolo_folder(tmp_path) is None
    # as labelling tools export it
    touch(tmp_path, "images/a.jpg", "labels/a.txt")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    found = read(tmp_path)
    assert found.classes == ("cat", "dog") and [*found.splits] == ["train"]
    touch(tmp_path, "images/train/b.jpg", "images/valid/c.jpg")
    assert pictures(read(tmp_path), "val") == ["c.jpg"]


def test_one_label_file_of_two_pictures_and_labels_of_none(root: Path) -> None:
    write_yaml(root, names=NAMES, train="images/train", val="images/val")
    touch(root, "images/train/a.png", "labels/val/lone.txt", "labels/train/classes.txt")
    found = read(root)
    (problem,) = found.splits["train"].problems
    assert "a.txt is the label file of 2 pictures, a.jpg, a.png" in problem
    assert f"1 label files have no picture and are not read, first {root}/labels/val/lone" in str(
        found.notes
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (dict(names=None, train="images/train"), "names is None; expected a list"),
        (dict(names=[], train="images/train"), r"names is \[\]; expected a list"),
        (dict(names={0: "a", 2: "b"}), r"names has the keys \[0, 2\]; expected 0 to 1"),
        (dict(names=["a", False]), "the name of class 1 is False: put it in quotes"),
        (dict(names=["a", "b", "a"]), "'a' more than once; expected each class once"),
        (dict(names=["a"], nc=2), "nc is 2, but there are 1 names"),
        (dict(names=["a"], kpt_shape=[17, 3]), "labels of keypoints are not read"),
        (dict(names=["a"]), "names no pictures: expected train: and val:"),
    ],
)
def test_a_wrong_yaml_file_is_one_line(root: Path, data: dict, told: str) -> None:
    write_yaml(root, **data)
    with pytest.raises(ValueError, match=rf"data\.yaml.*{told}"):
        read_yolo_folder(root)


def test_what_a_yaml_file_names_is_not_there(root: Path) -> None:
    write_yaml(root, names=NAMES, train="images/train", val="images/nope", test="labels")
    found = read(root)
    assert (
        f"data.yaml: val: images/nope is not there, below {root}" in found.splits["val"].problems[0]
    )
    assert "data.yaml: test: labels has no pictures" in found.splits["test"].problems[0]
    (root / "data.yaml").write_text("names: [a\n")
    with pytest.raises(ValueError, match=r"data\.yaml is no YAML file"):
        read_yolo_folder(root)


def test_code_in_a_yaml_file_is_not_run(root: Path) -> None:
    (root / "data.yaml").write_text("names: !!python/object/apply:os.getcwd []\ntrain: images\n")
    with pytest.raises(ValueError, match=r"no YAML file: could not determine a constructor"):
        read_yolo_folder(root)


def test_several_yaml_files(root: Path) -> None:
    write_yaml(root, names=NAMES, train="images/train").rename(root / "b.yaml")
    (root / "other.yaml").write_text("names: [1\n")  # of something else
    assert pictures(read(root), "train") == ["a.jpg", "b.PNG"]
    write_yaml(root, names=NAMES, train="images/val").rename(root / "a.yaml")
    with pytest.raises(ValueError, match=r"several data sets, a\.yaml, b\.yaml: give one of them"):
        read_yolo_folder(root)
    assert pictures(read(root / "a.yaml"), "train") == ["c.jpg"]
