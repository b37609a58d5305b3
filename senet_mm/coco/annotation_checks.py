"""What mmdet and COCOeval take from an annotation file, checked column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

_Check = Callable[[np.ndarray], np.ndarray]
_ONE_OF = {"images": "image", "categories": "category", "annotations": "annotation"}
_ID_KINDS: dict[str, tuple[type, ...]] = {
    "images": (int, str),
    "categories": (int, str),
    "annotations": (int,),  # COCOeval keeps them in arrays of numbers
}
_REQUIRED = object()


@dataclass(frozen=True)
class _Key:
    """A key of the entries of one part of the file.

    Attributes:
        name: The key.
        kinds: The types that its values may have.
        accepted: What its values may be, for the errors.
        is_right: Of numbers, which of them are right.
        default: What stands for an absent or null value; without one the key is required.
    """

    name: str
    kinds: tuple[type, ...]
    accepted: str
    is_right: _Check | None = None
    default: Any = _REQUIRED


_FLAG: dict[str, Any] = dict(
    kinds=(int, float, bool),
    accepted="0 or 1",
    is_right=lambda values: (values == 0) | (values == 1),
    default=0,
)
_SIDE: dict[str, Any] = dict(
    kinds=(int, float),
    accepted="a number of pixels above 0",
    is_right=lambda values: values > 0,
    default=np.inf,
)
_KEYS: dict[str, tuple[_Key, ...]] = {
    "images": (
        _Key("file_name", (str,), "a text"),
        _Key("width", **_SIDE),
        _Key("height", **_SIDE),
    ),
    "categories": (_Key("name", (str,), "a text"),),
    "annotations": (
        _Key(
            "area",
            (int, float),
            "a number of pixels, 0 or more",
            lambda values: (values >= 0) & (values < np.inf),
            default=0,  # until the shapes are known
        ),
        _Key("iscrowd", **_FLAG),
        _Key("ignore", **_FLAG),
    ),
}
_BOX = "[x, y, width, height], finite numbers"


def checked_columns(path: Path, data: Any) -> dict[str, dict[str, Any]]:
    """The entries of an annotation file as columns.

    Args:
        path: The file, for the errors.
        data: What it holds.

    Returns:
        For 'images', 'categories' and 'annotations' a list by key: ``id`` and the keys of the
        table above, arrays where they are numbers; ``absent`` by key, where a default stands for
        an absent or null value. Of annotations also ``image`` and ``category``, (N,) places among
        the images and categories, and ``bbox``, (N, 4).

    Raises:
        ValueError: Naming the file, the entry, its value and what is accepted.
    """
    if isinstance(data, dict):
        data.setdefault("annotations", [])  # test-dev's files have none
    for name in _KEYS:
        if not isinstance(data, dict) or not isinstance(data.get(name), list):
            raise ValueError(f"{path} is not a COCO instances file: it has no list {name!r}")
    parts = {name: _Part(path, name, data[name]) for name in _KEYS}
    columns: dict[str, dict[str, Any]] = {name: {"id": part.ids()} for name, part in parts.items()}
    images, categories = columns["images"]["id"], columns["categories"]["id"]
    if not images or not categories:
        raise ValueError(f"{path} has {len(images)} images and {len(categories)} categories")
    annotations = parts["annotations"]
    columns["annotations"] |= {
        "image": annotations.places("image_id", images),
        "category": annotations.places("category_id", categories),
        "bbox": annotations.boxes(),
    }
    for name, keys in _KEYS.items():
        columns[name] |= {key.name: parts[name].column(key) for key in keys}
        columns[name]["absent"] = {
            key.name: parts[name].absent(key.name) for key in keys if key.default is not _REQUIRED
        }
    return columns


@dataclass(frozen=True)
class _Part:
    """One of the lists of a file. A column is tested whole; a wrong value is looked for after."""

    path: Path
    name: str
    entries: Sequence[Any]

    def ids(self) -> list[Any]:
        """The ids: all there, of one kind, each once."""
        self._refuse_first(
            [type(entry) is not dict for entry in self.entries],
            lambda place: f"is {self.entries[place]!r:.40}; expected an object",
        )
        self._refuse_first(["id" not in entry for entry in self.entries], lambda _: "has no id")
        ids = [entry["id"] for entry in self.entries]
        kinds, allowed = set(map(type, ids)), _ID_KINDS[self.name]
        if len(kinds) > 1 or not kinds <= set(allowed):
            raise ValueError(
                f"{self.path}: ids of {self.name!r} are "
                f"{' and '.join(sorted(kind.__name__ for kind in kinds))}; "
                f"expected all {' or all '.join(kind.__name__ for kind in allowed)}"
            )
        if len(set(ids)) < len(ids):
            repeated = [key for key, count in Counter(ids).items() if count > 1]
            raise ValueError(
                f"{self.path}: {len(repeated)} ids of {self.name!r} are there more than once, "
                f"first {repeated[0]!r}; every id must be unique"
            )
        if self.name == "annotations" and max(map(abs, ids), default=0) >= 2**63:
            self._refuse_first([abs(key) >= 2**63 for key in ids], lambda _: "has too large an id")
        return ids

    def places(self, key: str, known: Sequence[Any]) -> np.ndarray:
        """(N,) where the ids under a key stand among the known ones."""
        values, lookup = self._values(key), {value: place for place, value in enumerate(known)}
        try:
            places = np.array([lookup.get(value, -1) for value in values], dtype=np.int32)
        except TypeError:  # a list or an object in an id's place
            places = np.array([-1 if _is_nested(v) else lookup.get(v, -1) for v in values])
        self._refuse_first(
            places < 0, lambda place: f"has {key} {values[place]!r}, which is not in the file"
        )
        return places

    def boxes(self) -> np.ndarray:
        """(N, 4) boxes."""
        boxes = self._values("bbox")
        if set(map(type, boxes)) <= {list} and set(map(len, boxes)) <= {4}:
            numbers = list(chain.from_iterable(boxes))
            if set(map(type, numbers)) <= {int, float}:
                array = _floats(numbers).reshape(-1, 4)
                if np.isfinite(array).all():
                    return array
        self._refuse_first(
            [not _is_box(box) for box in boxes],
            lambda place: f"has bbox {boxes[place]!r}; expected {_BOX}",
        )
        return _floats(list(chain.from_iterable(boxes))).reshape(-1, 4)

    def column(self, key: _Key) -> Any:
        """The values of a key: an array of numbers, or a list of texts."""
        if key.default is _REQUIRED:
            values = self._values(key.name)
        else:
            given = [entry.get(key.name) for entry in self.entries]
            values = [key.default if value is None else value for value in given]

        def describe(place: int) -> str:
            return f"has {key.name} {values[place]!r}; expected {key.accepted}"

        if not set(map(type, values)) <= set(key.kinds):
            self._refuse_first([type(value) not in key.kinds for value in values], describe)
        if key.is_right is None:
            return values
        array = _floats(values)
        self._refuse_first(~key.is_right(array), describe)
        return array

    def absent(self, key: str) -> np.ndarray:
        """(N,) whether an entry lacks a key, or has null there."""
        return np.array([entry.get(key) is None for entry in self.entries], dtype=bool)

    def _values(self, key: str) -> list[Any]:
        try:
            return [entry[key] for entry in self.entries]
        except KeyError:
            place = next(i for i, entry in enumerate(self.entries) if key not in entry)
            raise ValueError(
                f"{self.path} is not a COCO instances file: an entry lacks {key!r} "
                f"({self._label(place)}), which every one of its {self.name} must have"
            ) from None

    def _refuse_first(
        self, wrong: Sequence[bool] | np.ndarray, describe: Callable[[int], str]
    ) -> None:
        """Raises for the first entry that is wrong, if one is."""
        places = np.flatnonzero(wrong)
        if places.size:
            place = int(places[0])
            raise ValueError(f"{self.path}: {self._label(place)} {describe(place)}")

    def _label(self, place: int) -> str:
        """How an error names an entry."""
        entry, kind = self.entries[place], _ONE_OF[self.name]
        if not isinstance(entry, dict) or "id" not in entry:
            image = entry.get("image_id") if isinstance(entry, dict) else None
            return f"{kind} number {place}" + (f" (of image {image})" if image is not None else "")
        return f"{kind} {entry['id']}"


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict)


def _is_box(box: Any) -> bool:
    numbers = isinstance(box, list) and all(isinstance(x, int | float) for x in box)
    return numbers and len(box) == 4 and bool(np.isfinite(_floats(box)).all())


def _floats(numbers: Sequence[float]) -> np.ndarray:
    try:
        return np.array(numbers, dtype=float)
    except OverflowError:  # integers beyond what a float holds
        return np.array([float(x) if abs(x) < 1e300 else np.inf for x in numbers])
