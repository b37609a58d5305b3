from pathlib import Path

import pytest

from senet_mm.evaluation.coco_matches import Matches
from senet_mm.evaluation.coverage import make_population, simulate_coverage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("population")


@pytest.fixture(scope="module")
def population(folder: Path) -> list[Matches]:
    return make_population(folder, num_images=2000)


def test_the_interval_holds_the_true_difference(population: list[Matches]) -> None:
    coverage = simulate_coverage(
        population, num_images=60, num_replications=100, num_resamples=100, confidence=0.9
    )
    assert coverage.standard_error == pytest.approx(0.03)
    assert abs(coverage.rate - 0.9) < 2.5 * coverage.standard_error
    assert f"{coverage.num_covered} of 100 samples" in coverage.summary
    assert coverage.true_difference > 0.01
    assert coverage.mean_difference == pytest.approx(coverage.true_difference, abs=0.01)


def test_no_replication_is_refused(population: list[Matches]) -> None:
    with pytest.raises(ValueError, match="num_replications is 0; expected 1 or more"):
        simulate_coverage(population, num_replications=0)
