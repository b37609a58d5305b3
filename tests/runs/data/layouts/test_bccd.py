"""Real data in three layouts: the same numbers, to the last digit."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from senet_mm.runs.data.layouts.places import coco_places
from tests.conftest import REPO

from .folders import coco_data, detections, metrics, write_yolo

# BCCD in COCO's layout, as `python -m studies.bccd` makes it, and its own files in voc/
BCCD = Path(os.environ.get("SENET_MM_BCCD") or REPO.parent / "shared" / "data" / "bccd")
pytestmark = pytest.mark.skipif(not BCCD.is_dir(), reason="needs $SENET_MM_BCCD")


@pytest.fixture
def voc(tmp_path: Path) -> Path:
    """BCCD's own VOC files with the pictures where VOC has them; those to test are not there."""
    root = tmp_path / "voc"
    (root / "JPEGImages").mkdir(parents=True)
    for name in ("Annotations", "ImageSets"):
        (root / name).symlink_to(BCCD / "voc" / name)
    for split in ("train2017", "val2017"):
        for picture in (BCCD / split).iterdir():
            (root / "JPEGImages" / picture.name).symlink_to(picture)
    return root


@pytest.mark.parametrize("layout", ["voc", "yolo"])
def test_ap_is_the_same_to_the_last_digit(
    layout: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture
) -> None:
    root = (
        write_yolo(BCCD, tmp_path / "yolo") if layout == "yolo" else request.getfixturevalue("voc")
    )
    classes = [one["name"] for one in coco_data(BCCD, "val")["categories"]]
    found = coco_places(root, classes)
    assert found is not None and found[0] == root
    for split in ("train", "val"):
        truth, place = coco_data(BCCD, split), found[1][split]
        made = json.loads(place.ann_file.read_text())
        assert [one["name"] for one in made["categories"]] == classes
        for key in ("image_id", "category_id", "bbox", "area", "iscrowd"):
            assert [one[key] for one in made["annotations"]] == [
                one[key] for one in truth["annotations"]
            ]
        assert all((place.image_dir / one["file_name"]).is_file() for one in made["images"])
        theirs = detections(truth)
        expected = metrics(BCCD / "annotations" / f"instances_{split}2017.json", theirs)
        np.testing.assert_array_equal(metrics(place.ann_file, theirs), expected)
        assert 0.1 < expected[0] < 0.9
    # each split has an object of no extent, which the COCO files lack
    told = capsys.readouterr().err
    assert told.count("1 objects without extent are left out") == (2 if layout == "voc" else 0)
