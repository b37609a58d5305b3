import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from studies.label_maps import IGNORED, label_map, write_label_maps


def box(category: int, x: int, y: int, side: int, *, crowd: int = 0) -> dict:
    corners = [x, y, x + side, y, x + side, y + side, x, y + side]
    return dict(
        category_id=category,
        iscrowd=crowd,
        area=side * side,
        segmentation=[list(map(float, corners))],
    )


def test_the_smaller_object_is_seen_and_crowds_count_nowhere() -> None:
    objects = [box(9, 1, 1, 2), box(7, 0, 0, 4), box(7, 4, 0, 8, crowd=1)]
    expected = np.zeros((8, 12), np.uint8)
    expected[:, 4:] = IGNORED
    expected[:4, :4] = 1
    expected[1:3, 1:3] = 2
    assert (label_map(8, 12, objects, {7: 1, 9: 2}) == expected).all()


def test_label_maps_are_the_masks_of_the_set(shapes_root: Path, tmp_path: Path) -> None:
    for name in ("annotations", "val2017"):
        (tmp_path / name).symlink_to(shapes_root / name)
    written = write_label_maps(tmp_path)
    coco = COCO(shapes_root / "annotations" / "instances_val2017.json")
    assert written["val2017"] == len(coco.imgs)
    seen = 0
    for image in coco.imgs.values():
        labels = cv2.imread(
            str(tmp_path / "labels" / "val2017" / image["file_name"]).replace(".jpg", ".png"),
            cv2.IMREAD_UNCHANGED,
        )
        assert labels.shape == (image["height"], image["width"])
        objects = [coco.anns[i] for i in coco.getAnnIds(image["id"])]
        # the masks of this set are what remains visible, so none lies over another
        expected = sum(coco.annToMask(one).astype(int) * one["category_id"] for one in objects)
        assert (labels == expected).all()
        seen += len(objects)
    assert seen


def test_more_categories_than_a_map_can_hold(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="has no annotations/instances_SPLIT.json"):
        write_label_maps(tmp_path)
    content = dict(images=[], annotations=[], categories=[dict(id=i) for i in range(255)])
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="has 255 categories: expected 254 or fewer"):
        write_label_maps(tmp_path)
