from pathlib import Path

from senet_mm.coco.accumulate import ALL_METRICS
from senet_mm.coco.support import images_of_classes, images_of_metrics
from tests.coco.coco_cases import matches_of, random_case


def test_images_with_an_object_that_counts(tmp_path: Path) -> None:
    truth, results = random_case(1)
    matches = matches_of(tmp_path, truth, results)
    objects = [a for a in truth["annotations"] if not a["iscrowd"]]

    def images(kept: list[dict]) -> int:
        return len({a["image_id"] for a in kept})

    small = images([a for a in objects if a["area"] <= 32**2])
    large = images([a for a in objects if a["area"] >= 96**2])
    medium = images([a for a in objects if 32**2 <= a["area"] <= 96**2])
    found = dict(zip(ALL_METRICS, images_of_metrics(matches).tolist(), strict=True))
    assert found["AP"] == found["AP75"] == found["AR1"] == found["AR"] == images(objects) > large
    assert (found["APs"], found["APm"], found["APl"]) == (small, medium, large)
    assert (found["ARs"], found["ARm"], found["ARl"]) == (small, medium, large)
    of_classes = [images([a for a in objects if a["category_id"] == c]) for c in range(1, 5)]
    assert images_of_classes(matches).tolist() == of_classes
    assert of_classes[-1] == 0
