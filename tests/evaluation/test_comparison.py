from pathlib import Path

from senet_mm.evaluation.coco_metrics import METRICS
from senet_mm.evaluation.comparison import Result, markdown_table


def result(name: str, ap: float, parameters: int, seconds: float | None) -> Result:
    metrics = dict.fromkeys(METRICS, ap) | {"APl": -1.0}
    return Result(name, metrics, parameters, 3_860_000_000, seconds, Path("x.json"))


def test_table() -> None:
    table = markdown_table(
        [result("plain", 0.38, 25_600_000, 0.5), result("se", 0.404, 28_100_000, None)]
    )
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert lines[0] == ["", *METRICS, "params (M)", "GFLOPs", "s/iter"]
    plain, se, difference = (dict(zip(lines[0], line, strict=True)) for line in lines[2:])
    assert (plain["AP"], plain["APl"], plain["params (M)"]) == ("38.0", "-", "25.60")
    assert (se["AP"], se["s/iter"]) == ("40.4", "-")
    assert difference[""] == "se - plain"
    assert (difference["AP"], difference["APl"]) == ("+2.4", "-")
    assert (difference["params (M)"], difference["GFLOPs"]) == ("+2.50", "+0.00")
    assert difference["s/iter"] == "-"
