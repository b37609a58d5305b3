"""PASCAL VOC's label files: XML with corners in pixels."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

from .records import LabelledObject, Labels

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
# what PASCAL's own files say of themselves
_PASCAL = "The VOC"


def parse_voc(path: Path, content: bytes, size: tuple[int, int]) -> Labels:
    """Read a label file.

    PASCAL's own files count pixels from 1 and name the last one that belongs to an object: there
    the left edge is at ``xmin - 1`` and the right one at ``xmax``. The tools that write such files
    today give the places of the edges, and are taken at their word. ``difficult`` objects count
    for nothing, as mmdet and PASCAL have it: they become crowds.

    Args:
        path: The file, for the sentences on what is wrong.
        content: What it holds.
        size: Width and height of its picture, as it is stored or turned as EXIF says.
    """
    labels = Labels()
    try:
        root = _root(content)
    except ValueError as error:
        labels.problems.append(f"{path}: {error}")
        return labels
    first = float(root.findtext("source/database", "").startswith(_PASCAL))
    for number, element in enumerate(root.findall("object"), start=1):
        name = (element.findtext("name") or "").strip()
        where = f"{path}: object {number}{f' ({name})' if name else ''}"
        try:
            left, top, right, bottom = _corners(element)
            is_crowd = _flag(element)
            if not name:
                raise ValueError("has no name")
        except ValueError as error:
            labels.problems.append(f"{where} {error}")
            continue
        box = (left - first, top - first, right, bottom)
        if box[2] > box[0] and box[3] > box[1]:
            labels.objects.append(LabelledObject(name, box, is_crowd=is_crowd))
        else:
            labels.empty.append(where)
    labels.size = _declared_size(root)
    # of a turned picture either may be meant; which, is asked once it is known how it is loaded
    if labels.size is not None and sorted(labels.size) != sorted(size):
        width, height = labels.size
        labels.problems.append(
            f"{path} is of a picture of {width}x{height} (width x height), which has "
            f"{size[0]}x{size[1]}: its boxes are of another one, or of one that was resized since"
        )
    return labels


def class_names(content: bytes) -> set[str]:
    """The classes that a label file names; none where it cannot be read."""
    try:
        root = _root(content)
    except ValueError:
        return set()
    names = {(element.findtext("name") or "").strip() for element in root.findall("object")}
    return names - {""}


def _root(content: bytes) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # or an unknown encoding
        raise ValueError(f"no XML: {error}") from error
    if root.tag != "annotation":
        raise ValueError(f"begins with <{root.tag}>; expected VOC's <annotation>")
    return root


def _corners(element: ElementTree.Element) -> list[float]:
    """Left, top, right and bottom of an object, as they are written."""
    box = element.find("bndbox")
    if box is None:
        raise ValueError("has no bndbox")
    corners = []
    for name in _CORNERS:
        text = (box.findtext(name) or "").strip()
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"has {name} {text!r:.40}; expected a number of pixels")
        corners.append(value)
    if corners[2] < corners[0] or corners[3] < corners[1]:
        raise ValueError(
            f"has the corners {corners}; expected xmin, ymin, xmax, ymax, the lower before the "
            "higher"
        )
    return corners


def _flag(element: ElementTree.Element) -> bool:
    text = (element.findtext("difficult") or "0").strip()
    if text not in ("0", "1"):
        raise ValueError(f"has difficult {text!r:.40}; expected 0 or 1")
    return text == "1"


def _declared_size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Width and height that a file gives for its picture; None where it does not, or gives 0."""
    try:
        width, height = (int(float(root.findtext(f"size/{n}") or 0)) for n in ("width", "height"))
    except (ValueError, OverflowError):
        return None
    return (width, height) if width > 0 and height > 0 else None
