"""A COCO annotation file divided into two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Set
from functools import partial
from typing import Any

from ....coco.annotations import read_annotations
from .records import TRAIN, VAL, CocoFolder, Place
from .store import find_stored, store
from .val_split import ValSplit


def split_coco(folder: CocoFolder, split: ValSplit) -> dict[str, Place]:
    """Write the two parts of a folder's file to train on.

    Raises:
        FileNotFoundError, ValueError: As :func:`senet_mm.coco.annotations.read_annotations`.
    """
    whole = folder.places[TRAIN]
    chosen = split.chosen(read_annotations(whole.ann_file).file_names)
    content = whole.ann_file.read_bytes()
    number = hashlib.sha256(f"{split}".encode() + content).hexdigest()[:10]

    parts = {}
    for name in (TRAIN, VAL):
        file = f"instances_{name}-{number}.json"
        path = find_stored(folder.root, file)
        if path is None:
            path = store(folder.root, file, partial(_part, content, chosen, name == VAL))
        parts[name] = Place(path, whole.image_dir)
    return parts


def _part(content: bytes, chosen: Set[str], to_validate: bool) -> str:
    data: dict[str, Any] = json.loads(content)
    images = [one for one in data["images"] if (one["file_name"] in chosen) is to_validate]
    ids = {image["id"] for image in images}
    objects = [one for one in data.get("annotations", []) if one["image_id"] in ids]
    return json.dumps(data | dict(images=images, annotations=objects))
