import numpy as np

from senet_mm.statistics.estimate import Estimate
from studies.few_images import FAMILY, Difference, row, simulate


def test_a_class_in_one_image_has_an_interval_without_width_that_is_not_given() -> None:
    rng = np.random.default_rng(0)
    found = [simulate(rng, 1, num_images=30, num_resamples=40) for _ in range(20)]
    assert np.mean([one.excluded for one in found]) > 0.4
    assert all(one.estimate.interval is None for one in found)
    assert row(1, found).endswith("| none | none |")


def test_equal_detectors_on_more_images() -> None:
    rng = np.random.default_rng(0)
    found = [simulate(rng, 40, num_images=50, num_resamples=80) for _ in range(20)]
    assert np.mean([one.excluded for one in found]) < 0.25
    for one in found:
        low, high = one.estimate.interval
        assert one.estimate.num_images == 40 and (low > 0 or high < 0) == one.excluded


def test_a_row_counts_classes_and_families() -> None:
    unsure = Estimate(0.1, -0.05, 0.2, 0.06, p_value=0.1, num_images=25)
    sure = Estimate(0.5, 0.4, 0.6, 0.05, p_value=0.01, num_images=25)
    found = [Difference(False, unsure)] * (2 * FAMILY - 1) + [Difference(True, sure)]
    assert row(25, found) == "| 25 | 6.2% | 6.2% | 50.0% |"
