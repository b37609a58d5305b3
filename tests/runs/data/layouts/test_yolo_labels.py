import re
from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.records import Labels
from senet_mm.runs.data.layouts.yolo_labels import parse_yolo


def parse(content: str | bytes, size: tuple[int, int] = (640, 480)) -> Labels:
    content = content.encode() if isinstance(content, str) else content
    return parse_yolo(Path("x.txt"), content, size, ("cat", "dog"))


def test_boxes_and_polygons() -> None:
    found = parse("1 0.5 0.5 0.25 0.5\r\n\n0 0.1 0.1 0.2 0.1 0.2 0.3\n")
    box, polygon = found.objects
    assert (box.name, box.box, box.polygon) == ("dog", (240, 120, 400, 360), None)
    assert (polygon.name, polygon.box) == ("cat", (64, 48, 128, 144))
    assert polygon.polygon == (64, 48, 128, 48, 128, 144)
    assert not found.problems and not found.empty and found.size is None


@pytest.mark.parametrize("width", [13, 640, 6599])
def test_six_decimals_give_back_whole_pixels(width: int) -> None:
    for left, right in ((0, 1), (1, width), (3, width - 3), (width // 3, width // 2)):
        x, w = (left + right) / 2 / width, (right - left) / width
        (found,) = parse(f"0 {x:.6f} 0.5 {w:.6f} 0.5", (width, 100)).objects
        assert found.box == (left, 25, right, 75)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 0.5 0.5 0.2", r"4 numbers; expected CLASS X Y WIDTH HEIGHT"),
        ("0 0.5 0.5 0.2 0.2 0.9", "6 numbers; .* a score, is of predictions"),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "8 numbers"),
        ("0 0.5 0.5 wide 0.2", "'wide' is no number"),
        ("cat 0.5 0.5 0.2 0.2", "'cat' is no number"),
        ("2 0.5 0.5 0.2 0.2", "class 2; expected 0 to 1, for the 2 names"),
        ("-1 0.5 0.5 0.2 0.2", "class -1; expected"),
        ("0.5 0.5 0.5 0.2 0.2", "class 0.5; expected"),
        ("0 320 240 100 100", r"320 is beyond 0\.\.1 \(pixels\?\)"),
        ("0 0.5 1.02 0.2 0.2", r"1\.02 is beyond 0\.\.1; expected parts"),
        ("0 0.5 0.5 -0.2 0.2", r"-0\.2 is beyond"),
        ("0 nan 0.5 0.2 0.2", "nan is beyond"),
        ("nan 0.5 0.5 0.2 0.2", "class nan; expected"),
        ("0 0.1 0.1 0.2 inf 0.3 0.3", "inf is beyond"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(line: str, told: str) -> None:
    found = parse(f"0 0.5 0.5 0.2 0.2\n{line}\n1 0.5 0.5 0.2 0.2")
    assert len(found.objects) == 2 and len(found.problems) == 1
    assert found.problems[0].startswith("x.txt:2: ")
    assert re.search(told, found.problems[0]), found.problems[0]


def test_what_has_no_extent_is_left_out() -> None:
    found = parse("0 0.5 0.5 0 0.2\n0 0.1 0.1 0.2 0.1 0.3 0.1")
    assert found.empty == ["x.txt:1", "x.txt:2"] and not found.objects and not found.problems


def test_no_text() -> None:
    assert "x.txt is no text" in parse(b"\xff\xfe0 \x00").problems[0]
    assert parse(b"\xef\xbb\xbf0 0.5 0.5 0.2 0.2").objects
