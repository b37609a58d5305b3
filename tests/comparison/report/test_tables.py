from dataclasses import replace

from senet_mm.coco.metrics import METRICS
from senet_mm.comparison.power import Needed
from senet_mm.comparison.report.tables import (
    class_table,
    difference_tables,
    metrics_table,
    p_value,
    power_table,
)
from tests.comparison.report.made_up import comparison


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
    assert plain[1] == "38.0 ± 1.7"
    assert se[1] == "40.4 ± 1.7"  # of 40.4 and 38.0


def test_differences_with_interval_and_p() -> None:
    header, _, ap, *others = cells(difference_tables(comparison(low=0.01, high=0.03)))
    assert header == ["se - plain", "images", "difference", "95 % interval", "p", "plain", "se"]
    expected = ["AP", "4,952", "+2.4", "+1.0 to +3.0", "0.002", "38.0 (37.0 to 39.0)"]
    assert ap == [*expected, "40.4 (39.4 to 41.4)"]
    assert others[4] == ["APl", "-", "-", "-", "-", "-", "-"]


def test_differences_over_trainings_tell_their_share_of_the_variance() -> None:
    header, _, ap, *others = cells(difference_tables(comparison(low=0.01, high=0.03, seeds=2)))
    assert header[3:6] == ["95 % interval", "p", "of trainings"]
    assert ap[3:6] == ["+1.0 to +3.0", "0.002", "64 %"]
    assert others[4][3:6] == ["-", "-", "-"]


def test_classes_without_objects_are_left_out() -> None:
    header, _, *rows = cells(class_table(comparison(low=0.01, high=0.03)))
    names = ["class", "images", "plain", "se", "se - plain", "interval", "p", "adjusted p"]
    assert header == names
    cat = ["cat", "33", "30.0", "50.0", "+20.0", "+10.0 to +30.0", "< 0.001", "0.040"]
    assert rows == [cat, ["emu", "3", "10.0", "12.0", "+2.0", "-", "-", "-"]]
    assert p_value(0.0428) == "0.043"


def test_trainings_that_a_difference_takes() -> None:
    needed = (
        Needed("se", 0.005, 5000, None),
        Needed("se", 0.005, 10_000, 31),
        Needed("se", 0.02, 5000, 4),
        Needed("se", 0.02, 10_000, 3),
    )
    rows = cells(power_table(replace(comparison(low=0.01, high=0.03), needed=needed)))
    assert rows[0] == ["trainings of each for", "5,000 images", "10,000 images"]
    assert rows[2:] == [["se - plain: 0.5 AP", "> 100", "31"], ["se - plain: 2 AP", "4", "3"]]
