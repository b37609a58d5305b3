"""Tables and sentences on why detectors differ."""

from dataclasses import replace

from senet_mm.coco.error_types import ALL_ERRORS
from senet_mm.coco.explanation import Part
from senet_mm.coco.paired import Paired
from senet_mm.comparison.comparison import Comparison
from senet_mm.comparison.report import why
from senet_mm.comparison.report.write import as_markdown
from senet_mm.statistics.estimate import Estimate


def differing(comparison: Comparison, **values: Estimate) -> Comparison:
    """The comparison with other differences of error types."""
    numbers = comparison.explanation.error_types
    differences = ({name: Estimate(0.0) for name in ALL_ERRORS} | values,)
    explanation = replace(
        comparison.explanation, error_types=replace(numbers, differences=differences)
    )
    return replace(comparison, explanation=explanation)


def test_errors_of_both_and_their_difference(compared) -> None:
    comparison, _ = compared
    header, *rows = why.error_rows(comparison)
    assert header == ["AP50 lost", "good", "poor", "poor - good", "p"]
    assert [row[0] for row in rows] == list(ALL_ERRORS)
    good, poor = comparison.explanation.error_types.detectors
    missed = rows[ALL_ERRORS.index("missed")]
    assert missed[1:3] == [f"{100 * each['missed'].value:.1f}" for each in (good, poor)]
    assert poor["missed"].value > good["missed"].value > 0  # objects were left out of both
    assert missed[3].startswith(f"{100 * (poor['missed'].value - good['missed'].value):+.1f} (")


def test_too_few_images_give_no_interval(compared) -> None:
    few = Estimate(0.012, num_images=6)
    assert why.error_rows(differing(compared[0], background=few))[5][3:] == ["+1.2", "-"]


def test_an_interval_stands_beside_its_difference(compared) -> None:
    numbers = Estimate(0.012, 0.002, 0.031, 0.01, p_value=0.04)
    row = why.error_rows(differing(compared[0], background=numbers))[5]
    assert row[3:] == ["+1.2 (+0.2 to +3.1)", "0.040"]


def test_sentences_name_what_is_shown(compared) -> None:
    comparison, _ = compared
    told = why.why_sentences(differing(comparison))
    assert told == ["No type of error is shown to cost poor more or less than good."]
    worse = Estimate(0.02, 0.01, 0.03, p_value=0.01)
    better = Estimate(-0.05, -0.07, -0.01, p_value=0.01)
    both = Estimate(0.09, -0.01, 0.2, p_value=0.3)
    shown = differing(comparison, missed=worse, localization=better, both=both)
    assert why.why_sentences(shown) == [
        "poor against good: localization errors cost 5.0 AP50 less (-7.0 to -1.0); missed errors "
        "cost 2.0 AP50 more (+1.0 to +3.0)."
    ]
    sums = {"false negatives": worse}
    assert "No type" in why.why_sentences(differing(comparison, **sums))[0]


def test_by_size_and_by_class(compared) -> None:
    comparison, _ = compared
    sizes = why.error_size_rows(comparison)
    assert [row[0] for row in sizes[1:4]] == [
        f"classification, {size}" for size in ("small", "medium", "large")
    ]
    header, *rows = why.error_class_rows(comparison)
    assert header == ["class", *ALL_ERRORS]
    present = [
        label
        for label, estimate in zip(
            comparison.bootstrap.classes, comparison.bootstrap.class_precision[0], strict=True
        )
        if estimate.value is not None
    ]
    assert [row[0] for row in rows] == present


def test_classes_whose_interval_leaves_0_out_are_marked(compared) -> None:
    comparison, _ = compared
    first, *rest = comparison.explanation.error_types_by_class
    numbers = first.differences[0] | {
        "missed": Estimate(0.02, 0.01, 0.03),
        "both": Estimate(0.02, -0.01, 0.03),
    }
    explanation = replace(
        comparison.explanation,
        error_types_by_class=(replace(first, differences=(numbers,)), *rest),
    )
    row = why.error_class_rows(replace(comparison, explanation=explanation))[1]
    assert (row[6], row[3]) == ("+2.0*", "+2.0")


def test_parts_are_shown_where_there_are_some(compared) -> None:
    comparison, _ = compared
    assert len(why.slice_rows(comparison)) == 1  # the header
    rare, _, frequent = why.frequency_rows(comparison)[1:]
    assert rare[0].startswith("rare (") and frequent[0].startswith("frequent (")
    ap = Estimate(0.4), Estimate(0.3), Estimate(-0.1, -0.2, -0.05, p_value=0.01)
    numbers = Paired(({"AP": ap[0]}, {"AP": ap[1]}), ({"AP": ap[2]},))
    explanation = replace(
        comparison.explanation, slices=(Part("weather=rain", "30 images", numbers),)
    )
    rows = why.slice_rows(replace(comparison, explanation=explanation))
    expected = ["weather=rain (30 images)", "40.0", "30.0", "-10.0 (-20.0 to -5.0)", "0.010"]
    assert rows[1] == expected
    assert "weather=rain" in as_markdown(replace(comparison, explanation=explanation))
