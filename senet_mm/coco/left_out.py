"""What each image does to AP."""

from __future__ import annotations

import numpy as np

from .accumulate import class_precision, mean_of_classes
from .matches import Matches

_BLOCK = 1000  # images that are left out at once; bounds the memory


def effects_of_images(matches: Matches) -> np.ndarray:
    """AP of all images minus that of all but one.

    Args:
        matches: The matches of one results file, on I images.

    Returns:
        (I,) for each image what AP loses without it; NaN where AP is undefined without it.
    """
    everything = np.ones((1, matches.num_images), dtype=np.int32)
    whole = class_precision(matches, everything)[0]
    without = np.tile(whole, (matches.num_images, 1))
    for index, one in enumerate(matches.by_class):
        hits = np.flatnonzero(one.hits[0].any(axis=0))
        # an image changes nothing by what is found after the last hit
        before = one.image[: hits[-1] + 1] if hits.size else one.image[:0]
        images = np.union1d(before, one.objects[0])
        own = Matches(matches.num_images, matches.classes[index : index + 1], (one,))
        own = own.subset(images)
        for start in range(0, len(images), _BLOCK):
            left_out = np.arange(start, min(start + _BLOCK, len(images)))
            weights = np.ones((len(left_out), len(images)), dtype=np.int32)
            weights[np.arange(len(left_out)), left_out] = 0
            without[images[left_out], index] = class_precision(own, weights)[:, 0]
    return mean_of_classes(whole[None]) - mean_of_classes(without)
