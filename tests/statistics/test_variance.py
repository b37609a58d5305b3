import numpy as np
import pytest
from scipy import stats

from senet_mm.statistics.variance import Sources, critical_value, two_sided_p


def test_one_part_is_students_t() -> None:
    assert critical_value([(3.0, 4)], 0.95) == pytest.approx(2.776445)
    data = np.random.default_rng(0).normal(0.3, 1, 8)
    expected = stats.ttest_1samp(data, 0).pvalue
    assert two_sided_p(data.mean(), [(data.var(ddof=1) / 8, 7)]) == pytest.approx(expected)


def test_cochran_and_coxs_mean_of_critical_values() -> None:
    # variances 1 and 3 with 2 and 10 degrees of freedom: (4.302653 + 3 * 2.228139) / 4
    parts = [(1.0, 2), (3.0, 10)]
    assert critical_value(parts, 0.95) == pytest.approx(2.746767, abs=1e-6)
    assert two_sided_p(2.746767 * 2, parts) == pytest.approx(0.05, abs=1e-6)
    assert two_sided_p(-2.746767 * 2, parts) == pytest.approx(0.05, abs=1e-6)


def test_no_difference_and_a_huge_one() -> None:
    assert two_sided_p(0.0, [(1.0, 2)]) == 1
    assert 0 < two_sided_p(1e9, [(1.0, 1), (1.0, 500)]) < 1e-8


def test_more_trainings_and_images() -> None:
    assert Sources(trainings=9, images=1, both=4).of_images(2, factor=2) == 1.5
