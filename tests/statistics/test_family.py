import numpy as np
import pytest
from scipy import stats

from senet_mm.statistics.estimate import Estimate
from senet_mm.statistics.family import holm, smooth_p_value


def test_holms_example_by_hand() -> None:
    p_values = np.array([0.03, 0.01, np.nan, 0.04, 0.005])
    np.testing.assert_allclose(holm(p_values), [0.06, 0.03, np.nan, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1, 1]
    assert np.isnan(holm(np.array([np.nan]))).all()
    assert holm(np.array([])).size == 0


def test_family_wise_error_on_null_data() -> None:
    z = np.random.default_rng(0).normal(size=(4000, 30))
    z = 0.8 * z + 0.6 * z[:, :1]  # classes share images
    shown = [(holm(row) < 0.05).any() for row in 2 * stats.norm.sf(np.abs(z))]
    assert np.mean(shown) < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 4000)


def test_a_p_value_that_can_be_small() -> None:
    one = Estimate(0.03, 0.01, 0.05, standard_error=0.01, p_value=0.002, num_images=31)
    assert smooth_p_value(one) == pytest.approx(2 * stats.t.sf(3, 15))
    assert np.isnan(smooth_p_value(Estimate(0.03, num_images=3)))
    same = Estimate(0.0, 0.0, 0.0, standard_error=0.0, p_value=1.0, num_images=31)
    assert smooth_p_value(same) == 1
