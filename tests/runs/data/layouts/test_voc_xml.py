import re
from pathlib import Path

import pytest
from mmdet.datasets import XMLDataset

from senet_mm.runs.data.layouts.voc_xml import class_names, parse_voc

from .folders import xml

BOXES = [("cat", (1, 2, 31, 42)), ("dog", (10, 20, 640, 480)), ("cat", (5.5, 6, 70.25, 80))]
PASCAL = "<source><database>The VOC2007 Database</database></source>"


def parse(content: str, size: tuple[int, int] = (640, 480)):
    return parse_voc(Path("x.xml"), content.encode(), size)


def test_corners_are_edges() -> None:
    found = parse(xml(BOXES, size=(640, 480)))
    assert [(one.name, one.box) for one in found.objects] == BOXES
    assert found.size == (640, 480) and not found.problems and not found.empty
    assert class_names(xml(BOXES, size=(1, 1)).encode()) == {"cat", "dog"}


def test_pascals_own_files_are_as_mmdet_reads_them(tmp_path: Path) -> None:
    whole = [(name, tuple(map(int, box))) for name, box in BOXES]
    content = xml(whole, size=(640, 480), more="<difficult>1</difficult>")
    content = content.replace("<size>", f"{PASCAL}<size>")
    content = content.replace("<difficult>1<", "<difficult>0<", 1)
    found = parse(content)
    for folder in ("Annotations", "JPEGImages"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Annotations" / "a.xml").write_text(content)
    (tmp_path / "list.txt").write_text("a\n")
    theirs = XMLDataset(
        ann_file="list.txt",
        data_root=str(tmp_path),
        data_prefix=dict(sub_data_root=""),
        metainfo=dict(classes=("cat", "dog")),
        pipeline=[],
    ).get_data_info(0)["instances"]
    # mmdet takes 1 from the last pixel too, and so a pixel from each side
    expected = [(*one["bbox"][:2], one["bbox"][2] + 1, one["bbox"][3] + 1) for one in theirs]
    assert [one.box for one in found.objects] == expected
    assert [one.is_crowd for one in found.objects] == [one["ignore_flag"] == 1 for one in theirs]
    assert [one.is_crowd for one in found.objects] == [False, True, True]
    # one pixel is an object there, and no extent elsewhere
    one = xml([("cat", (3, 3, 3, 3))], size=(640, 480))
    assert parse(one).empty == ["x.xml: object 1 (cat)"]
    assert parse(one.replace("<size>", f"{PASCAL}<size>")).objects[0].box == (2, 2, 3, 3)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<xmin>10<", "<xmin>ten<", r"object 2 \(dog\) has xmin 'ten'; expected a number"),
        ("<xmin>10<", "<xmin>nan<", "has xmin 'nan'"),
        ("<ymax>480</ymax>", "", "has ymax ''"),
        ("<xmin>10<", "<xmin>700<", r"has the corners \[700.0, 20.0, 640.0, 480.0\]; expected"),
        ("<name>dog</name>", "", "object 2 has no name"),
        ("</bndbox></object><object><name>cat", "</bndbox><difficult>2</difficult></object><object>"
         "<name>cat", "has difficult '2'; expected 0 or 1"),
        ("<width>640<", "<width>320<", "is of a picture of 320x480 .* which has 640x480"),
    ],
)  # fmt: skip
def test_a_wrong_object_is_named_and_the_others_are_read(old: str, new: str, told: str) -> None:
    content = xml(BOXES, size=(640, 480))
    place = content.index(old, content.index("dog") - 10 if old in content[40:] else 0)
    found = parse(content[:place] + new + content[place + len(old) :])
    assert len(found.problems) == 1 and re.search(told, found.problems[0]), found.problems
    assert len(found.objects) == (3 if "width" in old else 2)


def test_parts_of_an_object_are_none() -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    content = xml(BOXES[:1], size=(640, 480), more=part)
    assert [one.name for one in parse(content).objects] == ["cat"]
    assert class_names(content.encode()) == {"cat"}


def test_no_label_file() -> None:
    for content, told in (
        ("<annotation>", "x.xml: no XML: no element found: line 1"),
        ("<html/>", "begins with <html>; expected VOC's <annotation>"),
        ('<?xml version="1.0" encoding="none"?><annotation/>', "no XML"),
    ):
        assert told in parse(content).problems[0]
        assert class_names(content.encode()) == set()
    # no size, or none that means anything
    assert parse("<annotation/>").size is None
    assert parse(xml([], size=(0, 0))).problems == []
    # a picture that is turned as EXIF says may be meant either way
    assert parse(xml([], size=(480, 640))).size == (480, 640)
