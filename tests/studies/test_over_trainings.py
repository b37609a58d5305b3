import numpy as np
import pytest

from senet_mm.statistics.estimate import Estimate
from senet_mm.statistics.variance import Sources, Trainings
from studies.over_trainings import (
    normal_difference,
    normal_sources,
    null_difference,
    rates_of,
)


def test_normal_errors_have_the_variances_that_were_asked() -> None:
    rng = np.random.default_rng(0)
    sources = normal_sources(spread=0.4, share=0.3)
    assert sources == Sources(trainings=pytest.approx(0.32), images=0.01875, both=0.04375)
    drawn = [normal_difference(rng, sources, num_trainings=4, truth=1.0) for _ in range(200)]
    values = np.array([one.value for one in drawn])
    expected = (0.32 + 0.04375) / 4 + 0.01875
    assert values.mean() == pytest.approx(1, abs=4 * np.sqrt(expected / 200))
    assert values.var() == pytest.approx(expected, rel=0.35)
    for name in ("trainings", "images", "both"):
        measured = np.mean([getattr(one.trainings.sources, name) for one in drawn])
        assert measured == pytest.approx(getattr(sources, name), rel=0.15)


def test_rates() -> None:
    nothing = Sources(0, 0, 0)

    def one(ends: tuple[float, float], of_images: tuple[float, float]) -> Estimate:
        trainings = Trainings((2, 2), False, 0.5, nothing, *of_images, 0.5)
        return Estimate(0.0, *ends, trainings=trainings)

    rates = rates_of([one((-1, 1), (0.1, 0.2)), one((-2, 2), (-1, 1)), one((0.1, 4.1), (1, 2))])
    assert rates.false == pytest.approx(1 / 3) and rates.false_of_images == pytest.approx(2 / 3)
    assert rates.half_width == pytest.approx(2)


def test_synthetic_trainings() -> None:
    rng = np.random.default_rng(0)
    options = dict(num_trainings=3, quality_spread=0.6, num_images=40, num_resamples=40)
    drawn = [null_difference(rng, **options) for _ in range(20)]
    assert all(one.trainings.counts == (3, 3) for one in drawn)
    rates = rates_of(drawn)
    assert rates.false < 0.25 < rates.false_of_images


@pytest.mark.slow
def test_from_the_command_line(tool) -> None:
    printed = tool("over_trainings.py", "--normal", 2, "--synthetic", 0, folder="studies")
    assert "| 10 | 0.8 | yes |" in printed and "promised" in printed
