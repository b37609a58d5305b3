import numpy as np
import pytest
from scipy import stats

from senet_mm.statistics.estimate import MIN_IMAGES, estimate


def test_a_difference_against_scipys_percentile_bootstrap() -> None:
    data = np.random.default_rng(0).gamma(2.0, size=300) - 2
    reference = stats.bootstrap(
        (data,), np.mean, n_resamples=500, method="percentile", rng=np.random.default_rng(1)
    )
    values = np.concatenate([[data.mean()], reference.bootstrap_distribution])
    found = estimate(values, confidence=0.95, num_images=300, is_difference=True)
    assert found.interval == pytest.approx(tuple(reference.confidence_interval))
    assert found.standard_error == pytest.approx(reference.standard_error)
    below = (values[1:] <= 0).sum()
    assert found.p_value == pytest.approx(2 * (min(below, 500 - below) + 1) / 501)


def test_an_own_number_is_bias_corrected() -> None:
    samples = np.arange(1000.0)
    (low, high) = estimate(
        np.concatenate([[399.5], samples]), confidence=0.9, num_images=99
    ).interval
    # z0 = normal quantile of 0.4; the ends are the quantiles at Phi(2 z0 -+ 1.645)
    shift = 2 * stats.norm.ppf(0.4)
    expected = np.quantile(samples, stats.norm.cdf([shift - 1.644854, shift + 1.644854]))
    assert (low, high) == pytest.approx(tuple(expected), abs=1e-3)


def test_too_few_images_or_resamples() -> None:
    values = np.array([0.5, 0.4, np.nan, 0.7])
    enough = estimate(values, confidence=0.95, num_images=MIN_IMAGES)
    assert (enough.num_undefined, enough.num_images) == (1, MIN_IMAGES)
    assert enough.low < enough.high
    few = estimate(values, confidence=0.95, num_images=MIN_IMAGES - 1, is_difference=True)
    assert (few.value, few.interval, few.p_value, few.num_images) == (0.5, None, None, 19)
    assert estimate(values[[0, 1, 2]], confidence=0.95, num_images=99).interval is None
    assert estimate(values[[2, 1, 3]], confidence=0.95, num_images=99).value is None
