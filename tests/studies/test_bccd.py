from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from studies.bccd import write

OBJECT = (
    "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax>"
    "</bndbox></object>"
)


def clone(folder: Path, **objects: list[tuple[str, int, int, int, int]]) -> Path:
    """BCCD's layout, with a picture of each name; ``val`` has the last one."""
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for name, boxes in objects.items():
        (folder / f"Annotations/{name}.xml").write_text(
            "<annotation><size><width>64</width><height>48</height><depth>3</depth></size>"
            + "".join(OBJECT.format(*one) for one in boxes)
            + "</annotation>"
        )
        cv2.imwrite(str(folder / f"JPEGImages/{name}.jpg"), np.zeros((48, 64, 3), np.uint8))
    *train, val = objects
    (folder / "ImageSets/Main/train.txt").write_text("\n".join(train) + "\n")
    (folder / "ImageSets/Main/val.txt").write_text(f"{val}\n")
    return folder


def test_boxes_go_from_corner_to_corner(tmp_path: Path) -> None:
    source = clone(
        tmp_path / "BCCD",
        a=[("WBC", 10, 20, 30, 48), ("RBC", 5, 5, 5, 5)],  # the second has no area
        b=[],
        c=[("Platelets", 1, 2, 4, 7)],
    )
    assert write(source, tmp_path / "coco") == dict(train=2, val=1)
    train, val = (
        COCO(tmp_path / f"coco/annotations/instances_{split}2017.json")
        for split in ("train", "val")
    )
    (found,) = train.anns.values()
    assert train.imgs[found["image_id"]]["file_name"] == "a.jpg" and len(train.imgs) == 2
    assert (found["bbox"], found["area"]) == ([10, 20, 20, 28], 560)
    assert train.cats[found["category_id"]]["name"] == "WBC"
    assert val.anns[1]["bbox"] == [1, 2, 3, 5] and val.cats[3]["name"] == "Platelets"
    for split, content in (("train", train), ("val", val)):
        for image in content.imgs.values():
            picture = cv2.imread(str(tmp_path / f"coco/{split}2017" / image["file_name"]))
            assert picture.shape[:2] == (image["height"], image["width"])


def test_another_class_is_refused(tmp_path: Path) -> None:
    source = clone(tmp_path / "BCCD", a=[("cell", 1, 1, 9, 9)], b=[])
    with pytest.raises(
        ValueError, match=r"a\.xml: name 'cell': expected one of RBC, WBC, Platelets"
    ):
        write(source, tmp_path / "coco")
