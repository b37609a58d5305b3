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


def test_in_blocks(tmp_path: Path, monkeypatch) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(1))
    weights = np.random.default_rng(0).integers(0, 3, (7, outcomes.num_images))
    at_once = kept_at_thresholds(outcomes, weights)
    monkeypatch.setattr("senet_mm.coco.accumulate._BLOCK", 150)
    in_blocks = kept_at_thresholds(outcomes, weights)
    for name in ("hits", "false", "distance"):
        np.testing.assert_array_equal(getattr(in_blocks, name), getattr(at_once, name))
