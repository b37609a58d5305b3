from pathlib import Path

import numpy as np

from senet_mm.coco.accumulate import accumulate
from tests.coco.coco_cases import matches_of, random_case


def test_a_subset_is_the_data_set_of_these_images(tmp_path: Path) -> None:
    truth, results = random_case(4)
    images = np.array([9, 1, 2, 5])
    ids = [truth["images"][index]["id"] for index in images]
    fewer = truth | {
        "images": [image for image in truth["images"] if image["id"] in ids],
        "annotations": [a for a in truth["annotations"] if a["image_id"] in ids],
    }
    own = matches_of(tmp_path, fewer, [r for r in results if r["image_id"] in ids], "fewer")
    subset = matches_of(tmp_path, truth, results).subset(images)
    weights = np.array([[3, 1, 2, 1], [1, 0, 2, 4]])
    order = np.argsort(images)
    np.testing.assert_array_equal(
        accumulate(subset, weights).metrics(), accumulate(own, weights[:, order]).metrics()
    )
