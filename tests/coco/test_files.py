import json
from pathlib import Path

import pytest

from senet_mm.coco.files import check_images, read_coco

NAN = float("nan")


def coco(**parts: object) -> dict:
    image = dict(id=1, file_name="a.jpg", width=10, height=10)
    box = dict(id=5, image_id=1, category_id=2, bbox=[0, 0, 4, 4], area=16, iscrowd=0)
    return dict(images=[image], annotations=[box], categories=[dict(id=2, name="cat")]) | parts


def write(folder: Path, content: object) -> Path:
    path = folder / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_reads_classes_and_file_names(tmp_path: Path) -> None:
    file = read_coco(write(tmp_path, coco()))
    assert (file.classes, file.file_names, file.num_annotations) == (("cat",), ("a.jpg",), 1)


def test_a_file_without_annotations_is_one_to_predict_on(tmp_path: Path) -> None:
    data = coco()
    del data["annotations"]
    assert read_coco(write(tmp_path, data)).num_annotations == 0


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
        (coco(images=["a.jpg"]), "not a COCO instances file"),
    ],
)
def test_what_is_not_coco_is_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_coco(write(tmp_path, content))


def test_a_missing_file_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nope\.json not found.*train2017/.*make demo"):
        read_coco(tmp_path / "nope.json")


def test_images(tmp_path: Path) -> None:
    names = ["a.jpg", "sub/b.jpg", "c.jpg", "d.jpg"]
    images = [dict(id=i, file_name=name) for i, name in enumerate(names)]
    path = write(tmp_path, coco(images=[dict(id=1, file_name="x"), *images[:1], *images[2:]]))
    with pytest.raises(FileNotFoundError, match=r"image folder .*train2017 not found"):
        check_images(path, tmp_path / "train2017")
    folder = tmp_path / "train2017"
    (folder / "sub").mkdir(parents=True)
    (folder / "c.jpg").touch()  # empty
    for name in ("a.jpg", "sub/b.jpg", "d.jpg"):
        (folder / name).write_bytes(b"\xff")
    with pytest.raises(FileNotFoundError, match=r"2 images .*: x, c\.jpg$"):
        check_images(path, folder)
    (folder / "c.jpg").write_bytes(b"\xff")
    (folder / "x").write_bytes(b"\xff")
    check_images(path, folder)
