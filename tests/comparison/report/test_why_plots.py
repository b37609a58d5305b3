from dataclasses import replace

from senet_mm.coco.error_types import ALL_ERRORS
from senet_mm.comparison.report.why_plots import plot_errors, plot_reliability
from senet_mm.statistics.estimate import Estimate


def test_every_type_and_detector_is_named(compared) -> None:
    comparison, _ = compared
    svg = plot_errors(comparison)
    for label in (*ALL_ERRORS, *comparison.names):
        assert f">{label}<" in svg
    assert plot_errors(comparison) == svg  # the same comparison, the same file


def test_errors_without_a_value_are_drawn_as_nothing(compared) -> None:
    comparison, _ = compared
    nothing = {name: Estimate(None) for name in ALL_ERRORS}
    numbers = comparison.explanation.error_types
    numbers = replace(numbers, detectors=(nothing, nothing), differences=(nothing,))
    explanation = replace(comparison.explanation, error_types=numbers)
    assert ">missed<" in plot_errors(replace(comparison, explanation=explanation))


def test_reliability_has_no_formulas(compared) -> None:
    svg = plot_reliability(compared[0])
    assert "mean score" in svg and ">good<" in svg
    assert "mathdefault" not in svg
