"""Which classes are taken for which."""

from __future__ import annotations

import numpy as np

from .outcomes import Outcomes


def confusion_matrix(outcomes: Outcomes, threshold: float) -> np.ndarray:
    """Count objects by their class and by the class under which they were found.

    Detections with a score of the threshold or more count. One that found an object of its class
    is right, as for AP at an IoU of 0.5. Of the others, the best one that overlaps an object of
    another class by 0.5 or more takes it for its own class, if nothing found that object rightly;
    of several such objects the one that it overlaps most is meant. Any other detection is of the
    background, and any other object missed.

    Returns:
        (K + 1, K + 1) counts, a row per class of the objects, a column per class of the
        detections; the last row is the background, the last column what was missed.
    """
    total = outcomes.num_classes
    kept = outcomes.counts & (outcomes.score >= threshold)
    right = np.flatnonzero(kept & outcomes.hits)
    taken = np.zeros(len(outcomes.object_image), dtype=bool)
    taken[outcomes.found[right]] = True
    rest = np.flatnonzero(kept & ~outcomes.hits)
    confused = rest[outcomes.confused[rest] >= 0]
    confused = confused[~taken[outcomes.confused[confused]]]
    # detections of an image stand by falling score, so the first one of an object is the best
    objects, first = np.unique(outcomes.confused[confused], return_index=True)
    confused = confused[first]
    taken[objects] = True
    background = np.setdiff1d(rest, confused)
    missed = np.flatnonzero(~taken)
    matrix = np.zeros((total + 1, total + 1), dtype=np.int64)
    own = outcomes.category
    np.add.at(matrix, (own[right], own[right]), 1)
    np.add.at(matrix, (outcomes.object_category[objects], own[confused]), 1)
    np.add.at(matrix[total], own[background], 1)
    np.add.at(matrix[:, total], outcomes.object_category[missed], 1)
    return matrix
