"""Differences over trainings against textbook tests and a simulation."""

import numpy as np
import pytest
from scipy import stats

from senet_mm.statistics.trainings import MIN_PAIRED, difference_over_trainings, match_seeds

OPTIONS = dict(confidence=0.95, num_images=100_000)


def samples_of(values: list[float], *, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """Trainings that reach the values, and 400 resamples around them, in each the same shift."""
    shift = noise * np.random.default_rng(seed).normal(size=401)
    shift[0] = 0
    return np.array(values)[:, None] + shift


def test_without_noise_of_images_it_is_students_test_for_two_samples() -> None:
    plain, se = [0.30, 0.32, 0.31], [0.35, 0.33, 0.37]
    found = difference_over_trainings(samples_of(plain), samples_of(se), **OPTIONS)
    expected = stats.ttest_ind(se, plain)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))
    assert found.trainings.share == 1 and not found.trainings.paired
    assert found.trainings.counts == (3, 3)


def test_equal_seeds_are_students_test_for_pairs() -> None:
    plain, se = [0.30, 0.34, 0.31, 0.36, 0.32], [0.32, 0.38, 0.35, 0.37, 0.36]
    order = [3, 0, 4, 2, 1]
    found = difference_over_trainings(
        samples_of(plain),
        samples_of([se[i] for i in order]),
        seeds=(range(5), order),
        **OPTIONS,
    )
    expected = stats.ttest_rel(se, plain)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))
    assert found.trainings.paired


def test_which_trainings_are_pairs() -> None:
    assert match_seeds([1, 2, 3, 4, 5], [2, 1, 3, 5, 4]) == [1, 0, 2, 4, 3]
    assert MIN_PAIRED == 5
    for baseline, other in (
        ([1, 2, 3, 4], [1, 2, 3, 4]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 6]),
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]),
        ([1, 2, 3, 4, 4], [1, 2, 3, 4, 4]),
        ([None] * 5, [None] * 5),
    ):
        assert match_seeds(baseline, other) is None


def test_noise_of_images_that_all_trainings_share_is_added() -> None:
    plain = samples_of([0.30, 0.32, 0.31])
    se = samples_of([0.35, 0.33, 0.37], noise=0.02)
    found = difference_over_trainings(plain, se, **OPTIONS)
    of_images = se.mean(axis=0)[1:].var(ddof=1)
    of_trainings = (0.01**2 + 0.02**2) / 3
    assert found.standard_error**2 == pytest.approx(of_images + of_trainings)
    assert found.trainings.share == pytest.approx(of_trainings / (of_images + of_trainings))
    assert found.trainings.sources.images == pytest.approx(of_images)
    assert found.trainings.sources.both == pytest.approx(0, abs=1e-12)
    assert found.trainings.sources.trainings == pytest.approx(0.0005)
    low, high = found.trainings.low, found.trainings.high
    assert (low, high) == pytest.approx(tuple(np.quantile(se.mean(0)[1:], [0.025, 0.975]) - 0.31))


def test_noise_that_each_training_has_for_itself_counts_once() -> None:
    rng = np.random.default_rng(0)
    plain, se = rng.normal(0, 1, (2, 400, 401))  # 400 trainings that differ by such noise alone
    found = difference_over_trainings(plain, se, **OPTIONS)
    assert found.standard_error**2 == pytest.approx(2 / 400, rel=0.15)
    assert found.trainings.sources.both == pytest.approx(2, rel=0.05)
    assert found.trainings.sources.trainings < 0.4


def test_trainings_of_unequal_number_have_their_own_spreads() -> None:
    plain, se = [0.30, 0.32], [0.35, 0.33, 0.37, 0.35]
    found = difference_over_trainings(samples_of(plain), samples_of(se), **OPTIONS)
    parts = np.array([np.var(plain, ddof=1) / 2, np.var(se, ddof=1) / 4])
    critical = np.average([12.7062047, 3.1824463], weights=parts)
    assert (found.high - found.value) == pytest.approx(critical * np.sqrt(parts.sum()))


def test_one_training_speaks_of_images_alone() -> None:
    found = difference_over_trainings(
        samples_of([0.3]), samples_of([0.35, 0.33], noise=0.02), **OPTIONS
    )
    assert found.trainings is None and found.interval is not None
    few = difference_over_trainings(
        samples_of([0.3, 0.2]), samples_of([0.35, 0.33]), confidence=0.95, num_images=3
    )
    assert few.trainings is few.interval is None


def test_equal_trainings_are_no_narrower_than_their_images() -> None:
    plain, se = samples_of([0.3, 0.3]), samples_of([0.35, 0.35], noise=0.02)
    found = difference_over_trainings(plain, se, **OPTIONS)
    assert found.high - found.low == pytest.approx(2 * 1.96 * se[0, 1:].std(ddof=1), rel=1e-3)
    assert found.trainings.share == 0
    same = difference_over_trainings(plain, plain, **OPTIONS)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize("count", [2, 5])
def test_coverage(count: int) -> None:
    """Trainings with a spread of 0.4, images with a noise of 0.25, nearly all of it their own."""
    rng = np.random.default_rng(count)
    covered = 0
    for _ in range(300):
        sides = []
        for _ in range(2):
            values = 0.4 * rng.normal(size=(count, 1)) + 0.17 * rng.normal(size=(count, 1))
            sides.append(np.concatenate([values, values + 0.17 * rng.normal(size=(count, 60))], 1))
        found = difference_over_trainings(*sides, **OPTIONS)
        covered += found.low <= 0 <= found.high
    assert 0.93 < covered / 300 < 0.99
