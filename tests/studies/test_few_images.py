from pathlib import Path

import numpy as np
import pytest

from senet_mm.statistics.estimate import Estimate
from studies import few_images
from studies.few_images import Differences, any_shown, simulate, table


def test_equal_detectors_on_few_images(tmp_path: Path) -> None:
    options = dict(num_images=30, num_objects=60, num_classes=6, num_resamples=60)
    outcomes = list(simulate(tmp_path, num_replications=4, **options))
    for one in outcomes:
        assert len(one.images) == len(one.excluded) == len(one.estimates)
        assert one.images.min() >= 1
        for images, excluded, estimate in zip(one.images, one.excluded, one.estimates, strict=True):
            assert (estimate.interval is not None) == (images >= 20)
            if estimate.interval:
                low, high = estimate.interval
                assert (low > 0 or high < 0) == excluded
    assert (outcomes[0].images != outcomes[1].images).any()


def test_the_table_counts_by_images() -> None:
    given = Estimate(0.1, 0.05, 0.2, 0.01, p_value=0.01, num_images=25)
    few = Estimate(0.1, num_images=1)
    one = Differences(np.array([1, 25, 25, 1]), np.array([1, 1, 0, 0], bool), [few, given] * 2)
    one = Differences(one.images, one.excluded, [few, given, given, few])
    *_, first, second = table([one]).splitlines()
    assert first == "| 1 | 2 | 50.0% | none |"
    assert second == "| 20 to 29 | 2 | 50.0% | 50.0% |"
    assert any_shown([one]) == (1.0, 1.0)
    unsure = Estimate(0.1, -0.05, 0.2, 0.06, p_value=0.1, num_images=25)
    two = Differences(one.images, one.excluded, [few, unsure, unsure, few])
    assert any_shown([one, two]) == (0.5, 0.5)


@pytest.mark.slow
def test_from_the_command_line(tool, tmp_path: Path) -> None:
    options = ["--replications", 2, "--images", 30, "--objects", 60, "--classes", 3]
    printed = tool("few_images.py", *options, "--out-dir", tmp_path, folder="studies")
    assert "| images with the class |" in printed and "any class at p < 0.05 in" in printed
    assert few_images.BOUNDS[0] == 1
