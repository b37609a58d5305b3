from pathlib import Path

import pytest

from senet_mm.coco.matches import Matches
from studies import synthetic_results
from studies.coverage import make_population, simulate_coverage
from studies.synthetic_results import write_data_set


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("population")


@pytest.fixture(scope="module")
def population(folder: Path) -> list[Matches]:
    return make_population(folder, num_images=1000)


@pytest.mark.slow
def test_the_intervals_hold_the_true_numbers(population: list[Matches]) -> None:
    first, second, difference = simulate_coverage(
        population, num_images=60, num_replications=64, num_resamples=100, confidence=0.9
    )
    for coverage in (first, second, difference):
        assert coverage.standard_error == pytest.approx(0.0375)
        assert f"{coverage.num_covered} of 64 samples" in coverage.summary
    assert abs(difference.rate - 0.9) < 2.5 * difference.standard_error
    assert difference.true_value > 0.01
    assert difference.true_value == pytest.approx(second.true_value - first.true_value)
    assert difference.mean_value == pytest.approx(difference.true_value, abs=0.01)
    # samples are biased upward, so a detector's own interval covers somewhat less
    assert first.mean_value > first.true_value + 0.005
    assert min(first.rate, second.rate) > 0.75


def test_no_replication_is_refused(population: list[Matches]) -> None:
    with pytest.raises(ValueError, match="num_replications is 0; expected 1 or more"):
        simulate_coverage(population, num_replications=0)


def test_from_the_command_line(tool, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(synthetic_results, "write_data_set", small_data_set)
    options = ["--replications", 2, "--images", 40, "--resamples", 5, "--out-dir", tmp_path]
    printed = tool("coverage.py", *options, folder="studies")
    assert "difference of AP: truly" in printed and "of 2 samples" in printed


def small_data_set(folder: Path, **options: object) -> tuple[Path, tuple[Path, Path]]:
    return write_data_set(folder, **options | dict(num_images=50, num_objects=200))
