"""YOLO's label files: a line for each object, in parts of the picture's width and height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from .records import LabelledObject, Labels

_EXPECTED = "expected CLASS X Y WIDTH HEIGHT, or CLASS and x y of 3 points or more"
_BOX, _FEWEST = 5, 7  # numbers of a box, and of a polygon of 3 points, the class included
# edges were rounded, or lie a little outside of their picture; ultralytics allows as much
_TOLERANCE = 0.01


def parse_yolo(path: Path, content: bytes, size: tuple[int, int], classes: Sequence[str]) -> Labels:
    """Read a label file.

    Args:
        path: The file, for the sentences on what is wrong.
        content: What it holds.
        size: Width and height of its picture.
        classes: Names of the classes.
    """
    labels = Labels()
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        labels.problems.append(f"{path} is no text: {error}")
        return labels
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            values = _checked(fields, len(classes))
        except ValueError as error:
            labels.problems.append(f"{path}:{number}: {error}")
            continue
        found = _object(values, size, classes)
        left, top, right, bottom = found.box
        if right > left and bottom > top:
            labels.objects.append(found)
        else:
            labels.empty.append(f"{path}:{number}")
    return labels


def _checked(fields: Sequence[str], num_classes: int) -> list[float]:
    """The numbers of a line.

    Raises:
        ValueError: Saying what is wrong with it.
    """
    if len(fields) < _BOX or (len(fields) != _BOX and len(fields) % 2 == 0):
        score = " (a sixth number, a score, is of predictions)" if len(fields) == 6 else ""
        raise ValueError(f"{len(fields)} numbers; {_EXPECTED}{score}")
    values = []
    for text in fields:
        try:
            values.append(float(text))
        except ValueError:
            raise ValueError(f"{text!r:.40} is no number; {_EXPECTED}") from None
    index, *numbers = values
    if not 0 <= index < num_classes or index != int(index):
        raise ValueError(
            f"class {fields[0]}; expected 0 to {num_classes - 1}, for the {num_classes} names of "
            "the data set"
        )
    for text, value in zip(fields[1:], numbers, strict=True):
        if not -_TOLERANCE <= value <= 1 + _TOLERANCE:  # false for nan too
            pixels = " (pixels?)" if math.isfinite(value) and value > 2 else ""
            raise ValueError(
                f"{text} is beyond 0..1{pixels}; expected parts of the picture's width and height"
            )
    return values


def _object(
    values: Sequence[float], size: tuple[int, int], classes: Sequence[str]
) -> LabelledObject:
    width, height = size
    name, numbers = classes[int(values[0])], values[1:]
    if len(values) >= _FEWEST:
        points = [_pixels(value, size[place % 2]) for place, value in enumerate(numbers)]
        xs, ys = points[::2], points[1::2]
        return LabelledObject(name, (min(xs), min(ys), max(xs), max(ys)), tuple(points))
    x, y, w, h = numbers
    box = (
        _pixels(x - w / 2, width),
        _pixels(y - h / 2, height),
        _pixels(x + w / 2, width),
        _pixels(y + h / 2, height),
    )
    return LabelledObject(name, box)


def _pixels(part: float, side: int) -> float:
    """Hundredths of a pixel, as COCO's own files.

    Six decimals, which most tools write, give back whole pixels in pictures of up to 6600.
    """
    return round(part * side, 2)
