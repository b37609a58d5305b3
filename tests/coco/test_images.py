import json
from pathlib import Path

import pytest

from senet_mm.coco.images import check_images


def test_images(tmp_path: Path) -> None:
    names = ["a.jpg", "sub/b.jpg", "c.jpg", "d.jpg"]
    images = [dict(id=i, file_name=name) for i, name in enumerate(names)]
    data = dict(
        images=[dict(id=1, file_name="x"), *images[:1], *images[2:]],
        categories=[dict(id=2, name="cat")],
    )
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(data))
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


SPELLINGS = [
    # (the name in the annotation file, on the disk, what the hint says)
    ("A.JPG", "a.jpg", "capitals and small letters differ"),
    ("\u00e4.jpg", "a\u0308.jpg", "Unicode writes its accents in two ways, NFC and NFD"),
    ("a\u0308.jpg", "\u00e4.jpg", "Unicode writes its accents in two ways"),
    ("a%20b.jpg", "a b.jpg", "% stands for a character in one of the two"),
    ("a b.jpg", "a%20b.jpg", "% stands for a character in one of the two"),
    ("a.jpg\n", "a.jpg", "spaces differ"),
    (" a.jpg", "a.jpg", "spaces differ"),
    ("a.jpg", "a.png", "a.png is there"),
    ("sub\\a.jpg", "sub/a.jpg", "sub/a.jpg is there: write the names with /"),
    ("other/a.jpg", "a.jpg", "a.jpg is there, without the folders of the name"),
]


@pytest.mark.parametrize(("name", "there", "hint"), SPELLINGS)
def test_a_name_that_is_spelt_otherwise(tmp_path: Path, name: str, there: str, hint: str) -> None:
    file, picture = tmp_path / "instances.json", tmp_path / "pictures" / there
    cat = dict(id=2, name="cat")
    file.write_text(json.dumps(dict(images=[dict(id=1, file_name=name)], categories=[cat])))
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"\xff")
    with pytest.raises(FileNotFoundError) as error:
        check_images(file, tmp_path / "pictures")
    assert f"({there} is there" in str(error.value) and hint in str(error.value)
