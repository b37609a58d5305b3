from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.operating import RATES, best_threshold, operating_points, rates
from senet_mm.coco.thresholds import Kept
from tests.coco.coco_cases import once, outcomes_of, random_case


def kept(hits: list[int], false: list[int], objects: int) -> Kept:
    counts = np.array([hits]), np.array([false])
    return Kept(*counts, np.zeros_like(counts[0], dtype=float), np.array([objects]))


def test_hand_made() -> None:
    values = rates(kept([4, 3, 0], [4, 1, 0], 6))
    np.testing.assert_allclose(values["precision"], [[1 / 2, 3 / 4, np.nan]])
    np.testing.assert_allclose(values["recall"], [[4 / 6, 3 / 6, 0]])
    np.testing.assert_allclose(values["F1"], [[8 / 14, 6 / 10, 0]])
    assert best_threshold(kept([4, 3, 0], [4, 1, 0], 6)) == 1
    assert best_threshold(kept([3, 3, 0], [1, 1, 0], 6)) == 1  # the highest of equal ones


def test_both_thresholds_count_the_same_way(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(3))
    points = operating_points(outcomes, once(outcomes), 0.62)
    thresholds = np.arange(101) / 100
    scores = []
    for threshold in [*thresholds, 0.62]:
        kept = outcomes.counts & (outcomes.score >= threshold)
        hits = np.count_nonzero(kept & outcomes.hits)
        scores.append(2 * hits / (kept.sum() + len(outcomes.object_image)))
    assert points.given["F1"][0] == pytest.approx(scores[-1])
    assert points.best["F1"][0] == pytest.approx(max(scores[:-1]))
    assert scores[round(100 * points.best_threshold)] == max(scores[:-1])
    weights = np.random.default_rng(0).integers(0, 3, (5, outcomes.num_images))
    again = operating_points(outcomes, np.concatenate([once(outcomes), weights]), 0.62)
    assert again.best_threshold == points.best_threshold  # it does not move with the images drawn
    for name in RATES:
        assert again.best[name][0] == points.best[name][0]
        assert len(set(again.best[name])) > 1


def test_nothing_to_find_or_nothing_found(tmp_path: Path) -> None:
    truth, results = random_case(0)
    outcomes = outcomes_of(tmp_path, truth, [])
    given = operating_points(outcomes, once(outcomes), 0.5).given
    assert np.isnan(given["precision"][0])
    assert (given["recall"][0], given["F1"][0]) == (0, 0)
    outcomes = outcomes_of(tmp_path, truth | {"annotations": []}, results, "empty_")
    given = operating_points(outcomes, once(outcomes), 0.5).given
    assert np.isnan(given["recall"][0])
    assert (given["precision"][0], given["F1"][0]) == (0, 0)
