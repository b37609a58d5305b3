"""Detections as COCO has them: a file of results, and one of the images that they are on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from mmdet.datasets import CocoDataset

from ...io.files import whole_file, write_whole

RESULTS, IMAGES = "detections.json", "images.json"
# COCO has 80 of the 91 categories that it once planned, and kept their numbers
_ABSENT = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}


def category_ids(classes: Sequence[str]) -> list[int]:
    """The category of each label: COCO's own where the classes are COCO's, else from 1 up."""
    if tuple(classes) == tuple(CocoDataset.METAINFO["classes"]):
        return [number for number in range(1, 91) if number not in _ABSENT]
    return [*range(1, len(classes) + 1)]


class CocoResults:
    """Results that are written as they come.

    Args:
        file: What the results go to.
        classes: The names of the labels.
    """

    def __init__(self, file: TextIO, classes: Sequence[str]) -> None:
        self._file = file
        self._ids = category_ids(classes)
        self._names = classes
        self._images: list[dict[str, Any]] = []
        self._separator = "[\n"

    def add(
        self,
        name: str,
        size: tuple[int, int],
        found: Mapping[str, Any],
        frame: int | None = None,
    ) -> None:
        """Add a picture.

        Args:
            name: The file or URL.
            size: Width and height.
            found: Its ``labels``, ``scores``, ``bboxes`` (corners) and perhaps ``masks`` (RLE), as
                mmdet's inferencer gives them.
            frame: Its place in a video, from 0.
        """
        number, (width, height) = len(self._images) + 1, size
        image = {"id": number, "file_name": name, "width": width, "height": height}
        self._images.append(image if frame is None else {**image, "frame_id": frame})
        masks = found.get("masks")
        for place, label in enumerate(found.get("labels", ())):
            x1, y1, x2, y2 = found["bboxes"][place]
            entry = {
                "image_id": number,
                "category_id": self._ids[label],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": found["scores"][place],
            }
            if masks:
                entry["segmentation"] = masks[place]
            self._file.write(self._separator + json.dumps(entry))
            self._separator = ",\n"

    def close(self, images: Path) -> None:
        """End the results, and write the images and categories that they name."""
        self._file.write(self._separator.replace(",", "") + "]\n")
        categories = [
            {"id": number, "name": name}
            for number, name in zip(self._ids, self._names, strict=True)
        ]
        content = {"images": self._images, "annotations": [], "categories": categories}
        write_whole(images, json.dumps(content))


@contextmanager
def coco_results(folder: Path, classes: Sequence[str]) -> Iterator[CocoResults]:
    """Write results into a folder, whole or not at all."""
    with whole_file(folder / RESULTS) as place, open(place, "w", encoding="utf-8") as file:
        results = CocoResults(file, classes)
        yield results
        results.close(folder / IMAGES)
