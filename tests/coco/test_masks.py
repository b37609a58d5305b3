import numpy as np
from pycocotools import mask as mask_utils

from senet_mm.coco.masks import compress


def test_every_form_is_the_same_mask() -> None:
    mask = np.zeros((20, 30), np.uint8, order="F")
    mask[5:10, 4:16] = 1
    rle = mask_utils.encode(mask)
    runs = np.diff(np.flatnonzero(np.diff(mask.ravel("F"), prepend=2, append=2))).tolist()
    halves = [[4, 5, 10, 5, 10, 10, 4, 10], [10, 5, 16, 5, 16, 10, 10, 10]]
    for form in (rle, {"size": [20, 30], "counts": runs}, halves):
        np.testing.assert_array_equal(mask_utils.decode(compress(form, 20, 30)), mask)
