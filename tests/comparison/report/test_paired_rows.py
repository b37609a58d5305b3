from dataclasses import replace

from senet_mm.coco.paired import Paired
from senet_mm.comparison.report.paired_rows import Row, paired_rows
from senet_mm.statistics.estimate import Estimate


def test_values_differences_and_of_one_alone_p(compared) -> None:
    comparison, _ = compared
    values = {"a": Estimate(0.4)}, {"a": Estimate(0.45)}, {"a": Estimate(None)}
    shown = {"a": Estimate(0.05, 0.01, 0.09, p_value=0.02)}
    two = Paired(values[:2], (shown,))
    assert paired_rows(comparison, "numbers", [Row("A", two, "a")]) == [
        ["numbers", "good", "poor", "poor - good", "p"],
        ["A", "40.0", "45.0", "+5.0 (+1.0 to +9.0)", "0.020"],
    ]
    third = replace(comparison.detectors[1], name="third")
    more = replace(comparison, detectors=(*comparison.detectors, third))
    three = Paired(values, (shown, {"a": Estimate(None)}))
    assert paired_rows(more, "numbers", [Row("A", three, "a")]) == [
        ["numbers", "good", "poor", "third", "poor - good", "third - good"],
        ["A", "40.0", "45.0", "-", "+5.0 (+1.0 to +9.0)", "-"],
    ]
