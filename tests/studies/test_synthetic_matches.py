import numpy as np
import pytest

from senet_mm.coco.accumulate import ALL_METRICS, accumulate
from senet_mm.coco.matches import Matches
from studies.synthetic_matches import detect, make_scene


def ap_of(matches: Matches) -> float:
    weights = np.ones((1, matches.num_images), dtype=np.int32)
    return accumulate(matches, weights).metrics()[0, ALL_METRICS.index("AP")]


def test_quality() -> None:
    rng = np.random.default_rng(0)
    scene = make_scene(rng, num_images=500, num_with_class=400)
    assert len(set(scene.image)) == 400 and max(scene.image) > 450
    assert 550 < len(scene.image) < 650 and (np.diff(scene.image) >= 0).all()
    worse, better = (ap_of(detect(rng, scene, quality=quality)) for quality in (0, 1))
    assert 0.2 < worse < better - 0.05 < 0.9


def test_each_image_has_what_it_has() -> None:
    scene = make_scene(np.random.default_rng(0), num_images=20, num_with_class=5)
    matches = detect(np.random.default_rng(1), scene)
    (one,) = matches.by_class
    assert one.hits[0, 0].sum() <= len(scene.image)
    assert set(one.image[one.hits[0, 0]]) <= set(scene.image)
    assert (one.hits[0, :-1] >= one.hits[0, 1:]).all()  # fewer at higher thresholds
    assert [len(area) for area in one.objects[1:]] == [0, 0, 0]
    again = detect(np.random.default_rng(1), scene)
    assert ap_of(again) == pytest.approx(ap_of(matches), abs=0)
