from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from senet_mm.coco.census import census
from senet_mm.comparison.report.data_set import class_rows, html, split_rows, text, verdict
from senet_mm.runs.data.layouts.survey import Survey, survey
from tests.runs.data.layouts.folders import coco_data, write_yolo


@pytest.fixture(scope="module")
def found(shapes_root: Path) -> Survey:
    return survey(shapes_root)


def test_numbers_are_those_of_the_files(found: Survey, shapes_root: Path) -> None:
    counted = [(one, one.annotations, census(one.annotations)) for one in found.splits]
    data = coco_data(shapes_root, "train")
    objects = [one for one in data["annotations"] if not one["iscrowd"]]
    pictures = {one["image_id"] for one in objects}
    header, train, _ = split_rows(counted)
    row = dict(zip(header, train, strict=True))
    assert row["split"] == "train" and row["pictures"] == "17"
    assert row["without objects"] == str(17 - len(pictures))
    assert row["objects"] == str(len(objects)) and row["width x height"] == "128 x 128"
    names = {one["id"]: one["name"] for one in data["categories"]}
    rows = class_rows(counted)
    assert [one[0] for one in rows[1:]] == [*names.values()]
    for name, number, having, *_ in rows[1:]:
        own = [one for one in objects if names[one["category_id"]] == name]
        assert number == str(len(own))
        assert having == str(len({one["image_id"] for one in own}))
    told = text(found)
    assert verdict(found) == "17 pictures in train, 24 pictures in val; nothing is broken."
    assert verdict(found) in told and "| train | 17 " in told and "Broken" not in told


def test_the_page_holds_its_pictures(found: Survey) -> None:
    page = html(found, num_images=3, seed=0)
    pictures = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == 6
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures[0]))))
    assert image.ndim == 3 and image.std() > 10
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page == html(found, num_images=3, seed=0) != html(found, num_images=3, seed=1)
    assert "<img" not in html(found, num_images=0, seed=0)


def test_what_is_broken_is_listed_and_names_are_text(shapes_root: Path, tmp_path: Path) -> None:
    root = write_yolo(shapes_root, tmp_path / "<b>yolo")
    for label in sorted((root / "labels" / "train").iterdir()):
        label.write_text("0 1\n1 2\n")
    broken = survey(root)
    assert "broken: 32 in train (training refuses it)." in verdict(broken)
    told, page = text(broken), html(broken, num_images=1, seed=0)
    assert told.count(".txt:1: 2 numbers") == 10 and "- and 12 more" in told
    assert page.count(".txt:1: 2 numbers") == 16 and "All that is broken" in page
    assert "<b>" not in page and "&lt;b&gt;yolo" in page
