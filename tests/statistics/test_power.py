import numpy as np
import pytest
from scipy import stats

from senet_mm.statistics.power import MAX_TRAININGS, power, trainings_needed
from senet_mm.statistics.variance import Sources


def test_without_noise_of_images_it_is_the_power_of_students_test() -> None:
    # statsmodels' TTestIndPower: 17 of each show 1 standard deviation with 80 %
    spread = Sources(trainings=2.0, images=0.0, both=0.0)  # 1 on each side
    assert trainings_needed(1.0, spread, num_images=1000) == 17
    noncentral = stats.nct.sf(stats.t.ppf(0.975, 32), 32, np.sqrt(17 / 2))
    found = power(1.0, spread, num_trainings=17, num_images=1000)
    assert found == pytest.approx(noncentral) and 0.8 < found < 0.82


def test_more_images_do_where_images_are_the_noise() -> None:
    sources = Sources(trainings=0.0, images=0.04, both=0.0)
    assert trainings_needed(0.3, sources, num_images=500) is None
    assert trainings_needed(0.3, sources, num_images=500, factor=4) == 2
    normal = stats.norm.sf(stats.norm.ppf(0.975) - 0.3 / 0.1)
    found = power(0.3, sources, num_trainings=9, num_images=500, factor=4)
    assert found == pytest.approx(normal, abs=2e-3)
    assert MAX_TRAININGS >= 100


def test_nothing_varies() -> None:
    nothing = Sources(0.0, 0.0, 0.0)
    assert power(0.1, nothing, num_trainings=2, num_images=100) == 1
    assert power(0.0, nothing, num_trainings=2, num_images=100) == 0
