"""Parts of a data set, given by lists of images or by what is known of each image."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .annotations import Annotations

_KEYS = ("file_name", "image_id")
_MOST_VALUES = 20  # of a column; more are numbers, or names of single images
_EXPECTED = (
    'a JSON object {"NAME": [image ids or file names, ...]}, or a table (CSV, or a JSON list of '
    "objects) with a column file_name or image_id and other columns, whose values are the slices"
)


def read_slices(path: str | Path, annotations: Annotations) -> dict[str, np.ndarray]:
    """Read slices; an image may be in several, or in none.

    Args:
        path: A JSON or CSV file. A JSON object has a list of images (ids or file names) per slice.
            A table has a row per image: its ``file_name`` or ``image_id``, and further columns;
            the slice ``COLUMN=VALUE`` holds the images that have this value there.
        annotations: Whose images are meant.

    Returns:
        Indices of the images of each slice by its name, rising.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is none of these, names an image that is not in the annotations, or has
            a column with more than 20 values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"slices {path} not found; expected {_EXPECTED}")
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".csv":
        named = _columns(path, list(csv.DictReader(io.StringIO(text))))
    else:
        named = _of_json(path, text)
    if not named:
        raise ValueError(f"{path} has no slice; expected {_EXPECTED}")
    places = _places(annotations)
    return {
        name: np.unique([_place(path, name, image, places, annotations) for image in images])
        for name, images in named.items()
    }


def _of_json(path: Path, text: str) -> dict[str, list[Any]]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file ({error}); expected {_EXPECTED}") from error
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        return _columns(path, data)
    if not isinstance(data, dict):
        raise ValueError(f"{path} is a {type(data).__name__}; expected {_EXPECTED}")
    for name, images in data.items():
        if not isinstance(images, list) or not images:
            raise ValueError(
                f"{path}: slice {name!r} is {str(images)[:60]}; expected a list of image ids or "
                "file names"
            )
    return data


def _columns(path: Path, rows: Sequence[Mapping[Any, Any]]) -> dict[str, list[Any]]:
    """Images by ``COLUMN=VALUE``."""
    key = next((key for key in _KEYS if rows and key in rows[0]), None)
    if key is None:
        columns = list(rows[0]) if rows else []
        raise ValueError(f"{path} has the columns {columns}; expected {_EXPECTED}")
    named: dict[str, list[Any]] = {}
    for column in [name for name in rows[0] if name not in _KEYS]:
        values: dict[Any, list[Any]] = {}
        for row in rows:
            if row.get(column) not in (None, ""):
                values.setdefault(row[column], []).append(row.get(key))
        if len(values) > _MOST_VALUES:
            raise ValueError(
                f"{path}: column {column} has {len(values)} values, as {next(iter(values))!r}; "
                f"expected at most {_MOST_VALUES}: put numbers into ranges, or drop the column"
            )
        named |= {f"{column}={value}": images for value, images in sorted(values.items(), key=str)}
    return named


def _places(annotations: Annotations) -> dict[str, int]:
    """Index of each image by its id and its file name, as text; a CSV has no other."""
    ids = {str(key): place for place, key in enumerate(annotations.image_ids)}
    names = {name: place for place, name in enumerate(annotations.file_names)}
    return names | ids


def _place(
    path: Path, name: str, image: Any, places: Mapping[str, int], annotations: Annotations
) -> int:
    place = places.get(str(image))
    if place is None:
        near = difflib.get_close_matches(str(image), annotations.file_names, n=1)
        raise ValueError(
            f"{path}: slice {name!r} has image {image!r}, which is not among the "
            f"{len(annotations.image_ids)} of {annotations.path}"
            + (f"; near is {near[0]!r}" if near else "")
        )
    return place
