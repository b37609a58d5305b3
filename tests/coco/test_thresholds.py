from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.thresholds import THRESHOLDS, kept_at_thresholds
from tests.coco.coco_cases import outcomes_of, random_case


@pytest.mark.parametrize("category", [None, 0])
@pytest.mark.parametrize("ties", [False, True])
def test_what_each_threshold_keeps(ties: bool, category: int | None, tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(0, ties=ties))
    weights = np.random.default_rng(0).integers(0, 3, (2, outcomes.num_images))
    kept = kept_at_thresholds(outcomes, weights, category=category)
    for row, weight in enumerate(weights):
        own = (category is None) | (outcomes.category == category)
        for place, threshold in enumerate(THRESHOLDS):
            chosen = own & (outcomes.score >= threshold)
            times = weight[outcomes.image]
            hits = chosen & outcomes.hits
            assert kept.hits[row, place] == times[hits].sum()
            assert kept.false[row, place] == times[chosen & outcomes.counts & ~hits].sum()
            distance = (times * 2 * (1 - outcomes.iou))[hits].sum()
            assert kept.distance[row, place] == pytest.approx(distance)
        objects = (category is None) | (outcomes.object_category == category)
        assert kept.objects[row] == weight[outcomes.object_image][objects].sum()
        np.testing.assert_array_equal(kept.missed[row], kept.objects[row] - kept.hits[row])


def test_thresholds_of_any_order(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(1, ties=True))
    weights = np.random.default_rng(0).integers(0, 3, (7, outcomes.num_images))
    rising = kept_at_thresholds(outcomes, weights, thresholds=np.array([0.1, 0.4, 0.4]))
    other = kept_at_thresholds(outcomes, weights, thresholds=np.array([0.4, 0.1, 0.4]))
    for name in ("hits", "false", "distance"):
        np.testing.assert_array_equal(getattr(other, name), getattr(rising, name)[:, [1, 0, 2]])


def test_without_a_detection_that_is_good_enough(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(1))
    weights = np.ones((2, outcomes.num_images), dtype=int)
    kept = kept_at_thresholds(outcomes, weights, thresholds=np.array([2.0]))
    assert kept.hits.tolist() == kept.distance.tolist() == [[0], [0]]
