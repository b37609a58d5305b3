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
