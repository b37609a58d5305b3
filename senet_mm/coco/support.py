"""On how many images a number rests: those with an object that counts for it."""

from __future__ import annotations

import numpy as np

from .accumulate import ALL_METRICS, AREA
from .matches import Matches


def images_of_metrics(matches: Matches) -> np.ndarray:
    """(12,) images with an object, by :data:`.accumulate.ALL_METRICS`."""
    of_areas = {
        area: _count([one.objects[index] for one in matches.by_class])
        for area, index in AREA.items()
    }
    # APs, ARm: the last letter names the area
    return np.array([of_areas.get(name[-1], of_areas["a"]) for name in ALL_METRICS])


def images_of_classes(matches: Matches) -> np.ndarray:
    """(K,) images with an object of each class."""
    return np.array([_count([one.objects[AREA["a"]]]) for one in matches.by_class])


def _count(images: list[np.ndarray]) -> int:
    return len(np.unique(np.concatenate(images)))
