from pathlib import Path

import numpy as np
import pytest

from senet_mm.statistics.estimate import Estimate
from studies.few_images import Difference, equal_classes, families, row, synthetic_results


def test_a_class_in_one_image_has_an_interval_without_width_that_is_not_given() -> None:
    rng = np.random.default_rng(0)
    found = equal_classes(rng, 1, num_classes=20, num_images=30, num_resamples=40)
    assert np.mean([one.excluded for one in found]) > 0.4
    assert all(one.estimate.interval is None and one.num_images == 1 for one in found)
    assert row("1", found).endswith("| none |")
    assert families([found]) == "no class has an interval"


def test_equal_detectors_on_more_images() -> None:
    rng = np.random.default_rng(0)
    found = equal_classes(rng, 40, num_classes=20, num_images=50, num_resamples=80)
    assert len(found) == 20
    assert np.mean([one.excluded for one in found]) < 0.25
    for one in found:
        low, high = one.estimate.interval
        assert one.num_images == 40 and (low > 0 or high < 0) == one.excluded


@pytest.mark.filterwarnings("ignore:.*reach over their image's edge")
def test_data_sets_have_classes_in_few_images_and_in_many(tmp_path: Path) -> None:
    found = synthetic_results(tmp_path, 0, num_classes=12, num_images=40, num_resamples=20)
    images = [one.num_images for one in found]
    assert len(found) == 12 and min(images) < 15 and max(images) > 20
    for one in found:
        assert (one.estimate.interval is None) == (one.num_images < 20)
    again = synthetic_results(tmp_path, 0, num_classes=12, num_images=40, num_resamples=20)
    assert again == found


def test_a_row_counts_classes_and_families_count_data_sets() -> None:
    unsure = Estimate(0.1, -0.05, 0.2, 0.06, p_value=0.1, num_images=25, adjusted_p_value=0.8)
    sure = Estimate(0.5, 0.4, 0.6, 0.05, p_value=0.01, num_images=25, adjusted_p_value=0.02)
    no, yes, none = (
        Difference(25, False, unsure),
        Difference(25, True, sure),
        Difference(3, True, Estimate(0.2, num_images=3)),
    )
    assert row("25", [no] * 15 + [yes]) == "| 25 | 16 | 6.2% | 6.2% |"
    told = families([[no, yes, none], [no, no, none], [no, no], [no, no]])
    assert told == "any of 2 classes is named in 25.0% of 4 data sets (standard error 21.7%)"
