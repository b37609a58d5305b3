from pathlib import Path

import numpy as np
import pytest

from senet_mm.coco.calibration import reliability
from tests.coco.coco_cases import once, outcomes_of, random_case


@pytest.mark.parametrize("ties", [False, True])
def test_bins_and_their_mean_distance(ties: bool, tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, *random_case(0, ties=ties))
    weights = np.random.default_rng(0).integers(0, 3, (1, outcomes.num_images))
    bins = reliability(outcomes, weights)
    times = weights[0][outcomes.image] * (outcomes.counts & (outcomes.score >= 0.05))
    error = 0.0
    for index in range(10):
        low, high = index / 10, (index + 1) / 10 if index < 9 else np.inf
        chosen = times * ((outcomes.score >= low) & (outcomes.score < high))
        assert bins.count[0, index] == chosen.sum()
        if not chosen.any():
            continue
        precision = (chosen * outcomes.hits).sum() / chosen.sum()
        score = (chosen * outcomes.score).sum() / chosen.sum()
        assert bins.precision[0, index] == pytest.approx(precision)
        assert bins.mean_score[0, index] == pytest.approx(score)
        error += chosen.sum() / times.sum() * abs(precision - score)
    assert bins.error[0] == pytest.approx(error)


def test_without_detections(tmp_path: Path) -> None:
    outcomes = outcomes_of(tmp_path, random_case(0)[0], [])
    bins = reliability(outcomes, once(outcomes))
    assert np.isnan(bins.error[0])
    assert bins.curve()["count"] == [0] * 10
