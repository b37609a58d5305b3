"""A copy of an annotation file that mmdet and COCOeval read as it is meant."""

from __future__ import annotations

import json

import numpy as np

from .annotations import Annotations


def mended(annotations: Annotations, sizes: np.ndarray) -> str:
    """The content of an annotation file with its defaults filled in.

    Args:
        annotations: What was read of it.
        sizes: (I, 2) width and height of its images.
    """
    data = json.loads(annotations.path.read_bytes())
    places = {key: place for place, key in enumerate(annotations.image_ids)}
    for image in data["images"]:
        for key, side in zip(("width", "height"), sizes[places[image["id"]]], strict=True):
            if image.get(key) is None:
                image[key] = int(side)
    areas = annotations.objects.area.tolist()
    for annotation, area in zip(data.get("annotations", []), areas, strict=True):
        for key, value in (("area", area), ("iscrowd", 0)):
            if annotation.get(key) is None:
                annotation[key] = value
    return json.dumps(data)
