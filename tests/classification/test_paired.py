from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from senet_mm.classification.paired import FEWEST, difference, mcnemar


def outcomes(worse: int, better: int, both: int = 3, neither: int = 20) -> tuple[np.ndarray, ...]:
    """What two classifiers miss, with given numbers of images on which they differ."""
    pairs = [(False, True)] * worse + [(True, False)] * better
    pairs += [(True, True)] * both + [(False, False)] * neither
    first, second = np.array(pairs).T
    return first, second


@pytest.mark.parametrize("numbers", [(0, 0), (0, 1), (5, 0), (3, 9), (9, 3), (7, 7), (900, 1100)])
def test_mcnemar_is_the_binomial_test(numbers: tuple[int, int]) -> None:
    found = mcnemar(*outcomes(*numbers))
    assert (found.worse, found.better) == numbers
    if not sum(numbers):
        assert found.p_value == 1
        return
    expected = stats.binomtest(numbers[0], sum(numbers)).pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-12)


def test_the_interval_is_that_of_drawn_images() -> None:
    """Images are drawn one by one here; the standard error has a closed form too."""
    rng = np.random.default_rng(1)
    first, second = rng.random((1, 400)) < 0.3, rng.random((1, 400)) < 0.22
    each = second[0].astype(float) - first[0]
    drawn = 100 * each[rng.integers(0, 400, (20000, 400))].mean(axis=1)
    found = difference(first, second, num_resamples=20000)
    assert found.value == pytest.approx(100 * (second.mean() - first.mean()))
    assert found.num_images == np.count_nonzero(each)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.3)
    reach = 1.96 * 100 * each.std() / 20
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.04)


def test_of_one_training_errors_are_means_and_intervals_are_over_images() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random((3, 200)) < 0.3, rng.random((1, 200)) < 0.3
    each = second.mean(axis=0) - first.mean(axis=0)
    drawn = 100 * each[rng.integers(0, 200, (20000, 200))].mean(axis=1)
    found = difference(first, second, num_resamples=20000, confidence=0.9)
    assert (found.low, found.high) == pytest.approx(np.quantile(drawn, [0.05, 0.95]), abs=0.2)
    assert found.trainings is None
    again = difference(first, second, num_resamples=20000, confidence=0.9)
    assert again == found


def test_several_trainings_of_both_widen_the_interval() -> None:
    """Ten trainings that miss 20 to 40 % differ by more than the images say."""
    rng = np.random.default_rng(4)
    rates = rng.uniform(0.2, 0.4, (2, 5, 1))
    first, second = (rng.random((5, 2000)) < rate for rate in rates)
    found = difference(first, second)
    own = [side.mean(axis=1) for side in (first, second)]
    spread = 100 * np.sqrt(sum(one.var(ddof=1) / 5 for one in own))
    reach = stats.t.ppf(0.975, 8) * spread  # nearly all of it: images add little
    assert found.trainings.counts == (5, 5)
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.1)
    assert found.value == pytest.approx(100 * (own[1].mean() - own[0].mean()))


def test_few_images_tell_nothing() -> None:
    first, second = outcomes(0, FEWEST - 1)
    found = difference(first[None], second[None])
    assert found.num_images == FEWEST - 1
    assert found.value == pytest.approx(-100 * 5 / 28) and found.low is None and found.high is None
    assert mcnemar(first, second).p_value > 0.05
    more = outcomes(0, FEWEST)
    assert difference(more[0][None], more[1][None]).high < 0
    assert mcnemar(*more).p_value < 0.05


def test_equal_classifiers_are_seldom_told_apart() -> None:
    """Coverage of the interval and size of the test, over 2,000 pairs of equal error."""
    rng = np.random.default_rng(3)
    wrong = far = 0
    for seed in range(2000):
        hard = rng.random(300) < 0.3  # images that both tend to miss
        chance = np.where(hard, 0.8, 0.05)
        first, second = rng.random(300) < chance, rng.random(300) < chance
        found = difference(first[None], second[None], num_resamples=400, seed=seed)
        wrong += not found.low <= 0 <= found.high
        far += mcnemar(first, second).p_value < 0.05
    assert 0.03 < wrong / 2000 < 0.075 and 0.01 < far / 2000 < 0.055
