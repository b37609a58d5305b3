from dataclasses import replace
from pathlib import Path

import pytest

from senet_mm.coco.bootstrap import Bootstrap, Estimate
from senet_mm.coco.metrics import METRICS
from senet_mm.comparison.comparison import Comparison, Detector
from senet_mm.comparison.costs import Cost
from senet_mm.comparison.report.tables import (
    class_table,
    difference_tables,
    metrics_table,
    notes,
    p_value,
    verdicts,
)
from senet_mm.paper import detection_row_of
from senet_mm.profiling.inference_cost import InferenceCost


def comparison(*, low: float, high: float, seeds: int = 1) -> Comparison:
    """AP 38.0 against 40.4; no large objects; the second class without objects."""
    cost = Cost(25_600_000, 3_860_000_000, InferenceCost(0.1, 0.002, 5_000_000, "cpu", 9), None)
    detectors = tuple(
        Detector(name, ("run",) * count, (), cost, detection_row_of(config), {}, ())
        for name, count, config in (
            ("plain", 1, "faster_rcnn_r50_fpn"),
            ("se", seeds, "faster_rcnn_se_r50_fpn"),
        )
    )
    values = [dict.fromkeys(METRICS, ap) | {"APl": None} for ap in (0.38, 0.404)]
    estimates = [
        {n: Estimate(v, v and v - 0.01, v and v + 0.01) for n, v in v.items()} for v in values
    ]
    difference = {n: Estimate(0.024, low, high, p_value=0.002) for n in METRICS}
    result = Bootstrap(
        classes=("cat", "dog"),
        run_metrics=((values[0],), (values[1], values[0])[:seeds]),
        metrics=tuple(estimates),
        class_precision=((Estimate(0.3), Estimate(None)), (Estimate(0.5), Estimate(None))),
        differences=(difference | {"APl": Estimate(None)},),
        class_differences=((Estimate(0.2, 0.1, 0.3, p_value=0.0005), Estimate(None)),),
        num_resamples=1000,
        confidence=0.95,
        seed=0,
    )
    explanation = None  # no part of these tables
    return Comparison(Path("a/val.json"), "bbox", 5000, 36781, detectors, result, explanation)


def cells(table: str) -> list[list[str]]:
    lines = table.splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_metrics_cost_and_the_papers_rows() -> None:
    header, _, plain, se = cells(metrics_table(comparison(low=0.01, high=0.03)))
    assert header[1:8] == list(METRICS)
    plain, se = dict(zip(header, plain, strict=True)), dict(zip(header, se, strict=True))
    assert (plain["AP"], plain["APl"], se["AP"]) == ("38.0", "-", "40.4")
    assert (plain["params (M)"], plain["GFLOPs"]) == ("25.60", "3.86")
    assert (plain["ms/image"], plain["peak MB"], plain["s/iter"]) == ("100.0 ± 2.0", "5.0", "-")
    assert (plain["paper AP"], se["paper AP50"]) == ("38.0", "61.0")


def test_seeds_have_a_deviation() -> None:
    _, _, plain, se = cells(metrics_table(comparison(low=0.01, high=0.03, seeds=2)))
    assert plain[1] == "38.0"
    assert se[1] == "40.4 ± 1.7"  # of 40.4 and 38.0


def test_differences_with_interval_and_p() -> None:
    header, _, ap, *others = cells(difference_tables(comparison(low=0.01, high=0.03)))
    assert header == ["se - plain", "difference", "95 % interval", "p", "plain", "se"]
    expected = ["AP", "+2.4", "+1.0 to +3.0", "0.002", "38.0 (37.0 to 39.0)"]
    assert ap == [*expected, "40.4 (39.4 to 41.4)"]
    assert others[4] == ["APl", "-", "-", "-", "-", "-"]


def test_classes_without_objects_are_left_out() -> None:
    header, _, *rows = cells(class_table(comparison(low=0.01, high=0.03)))
    assert header == ["class", "plain", "se", "se - plain", "interval", "p"]
    assert rows == [["cat", "30.0", "50.0", "+20.0", "+10.0 to +30.0", "< 0.001"]]
    assert p_value(0.0428) == "0.043"


@pytest.mark.parametrize(
    ("low", "high", "start"),
    [
        (0.01, 0.03, "se is better than plain on such images: AP +2.4 (+1.0 to +3.0, p = 0.002)."),
        (-0.03, -0.01, "se is worse than plain on such images"),
        (-0.01, 0.03, "No difference between se and plain is shown"),
    ],
)
def test_verdict(low: float, high: float, start: str) -> None:
    (verdict,) = verdicts(comparison(low=low, high=high))
    assert verdict.startswith(start)


def test_no_verdict_that_the_p_value_does_not_bear() -> None:
    one = comparison(low=0.001, high=0.03)
    differences = {"AP": Estimate(0.01, 0.001, 0.03, p_value=0.0501)}
    doubtful = replace(one, bootstrap=replace(one.bootstrap, differences=(differences,)))
    assert verdicts(doubtful)[0].startswith("No difference between se and plain is shown")
    assert "no p-value can be below" not in " ".join(notes(one))
    few = replace(one, bootstrap=replace(one.bootstrap, num_resamples=20))
    assert "no p-value can be below 0.095" in " ".join(notes(few))


def test_notes_tell_what_the_numbers_cannot_say() -> None:
    one = comparison(low=0.01, high=0.03)
    text = " ".join(notes(one))
    assert "5,000 images with 36,781 objects (val.json, bbox)" in text
    assert "trained once" in text and "not how they vary from one training" in text
    assert "are few" not in text
    assert "as it is." in notes(replace(one, remarks=("Something as it is.",)))[3]
    assert "60 images are few" in " ".join(notes(replace(one, num_images=60)))
    assert "standard deviation" in " ".join(notes(comparison(low=0.01, high=0.03, seeds=2)))
