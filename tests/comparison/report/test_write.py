import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from senet_mm.coco.metrics import METRICS
from senet_mm.comparison.costs import Cost
from senet_mm.comparison.curves import Curves
from senet_mm.comparison.report import page, plots
from senet_mm.comparison.report.write import as_markdown, prepare_report, write_report
from senet_mm.profiling.inference_cost import InferenceCost

_VOID = {"meta", "img"}


class Balanced(HTMLParser):
    """Every element is closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_three_files_and_nothing_else(compared, shapes_root: Path, tmp_path: Path) -> None:
    comparison, evaluation = compared
    paths = write_report(
        comparison, evaluation, tmp_path, image_dir=shapes_root / "val2017", num_images=4
    )
    assert [path.name for path in paths] == ["report.md", "report.json", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)

    numbers = json.loads(paths[1].read_text())
    ap = comparison.bootstrap.differences[0]["AP"]
    assert numbers["bootstrap"]["differences"][0]["AP"]["low"] == ap.low
    assert len(numbers["detectors"][0]["precision"]["0.50"]) == 101
    missed = comparison.explanation.error_types.differences[0]["missed"].value
    explained = numbers["explanation"]
    assert explained["error_types"]["differences"][0]["missed"]["value"] == missed > 0

    text = paths[0].read_text()
    assert text.startswith(
        "# poor against good\n\nThese weights of poor are worse than these weights"
    )
    assert f"{100 * ap.low:+.1f} to {100 * ap.high:+.1f}" in text
    assert f"| {100 * missed:+.1f} " in text


def test_the_page_is_whole_and_needs_no_other_file(
    compared, shapes_root: Path, tmp_path: Path
) -> None:
    comparison, evaluation = compared
    detectors = tuple(
        replace(detector, name=f"<b>{detector.name}</b> & co") for detector in comparison.detectors
    )
    odd = replace(comparison, detectors=detectors)
    page = write_report(odd, evaluation, tmp_path, image_dir=shapes_root / "val2017", num_images=4)[
        2
    ].read_text()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    # differences, error types, precision and recall, reliability, classes
    assert parser.seen.count("svg") == 5
    assert parser.seen.count("img") >= 3
    assert "<b>" not in page and "&lt;b&gt;poor&lt;/b&gt; &amp; co" in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "@import" not in page and "url(http" not in page


@pytest.mark.slow
def test_names_that_mean_something_to_tables_and_plots(compared, tmp_path: Path) -> None:
    comparison, evaluation = compared
    names = ("_a|b", "$c")
    detectors = tuple(
        replace(detector, name=name)
        for detector, name in zip(comparison.detectors, names, strict=True)
    )
    classes = ("$x$|y", *comparison.bootstrap.classes[1:])
    result = replace(comparison.bootstrap, classes=classes)
    odd = replace(comparison, detectors=detectors, bootstrap=result)
    _, _, page = write_report(odd, evaluation, tmp_path, num_images=0)
    header, *rows = (line for line in as_markdown(odd).splitlines() if line.startswith("|"))
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in [header, *rows[:3]]}) == 1
    text = page.read_text()
    assert "<td>_a|b</td>" in text and "<td>$x$|y</td>" in text
    for name in names:
        assert f">{name}<" in plots.plot_precision_recall(odd)
    assert ">$x$|y<" in plots.plot_classes(odd)


def test_numbers_that_json_cannot_hold_are_nothing(compared, tmp_path: Path) -> None:
    comparison, evaluation = compared
    nan = float("nan")
    curves = (Curves("run", ((10, nan),), ()),)
    first = replace(
        comparison.detectors[0],
        precision={"0.50": [nan, *[1.0] * 100], "0.75": [nan] * 101, "0.50:0.95": [nan] * 101},
        curves=curves,
    )
    odd = replace(comparison, detectors=(first, *comparison.detectors[1:]))
    path = write_report(odd, evaluation, tmp_path, num_images=0)[1]

    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads(path.read_text(), parse_constant=refuse)
    assert numbers["detectors"][0]["precision"]["0.50"][:2] == [None, 1.0]
    assert numbers["detectors"][0]["curves"][0]["loss"] == [[10, None]]
    assert numbers["ann_file"] == str(comparison.ann_file)


def test_a_missing_image_becomes_a_note(compared, tmp_path: Path) -> None:
    comparison, evaluation = compared
    moved = tmp_path / "moved"
    paths = write_report(comparison, evaluation, tmp_path / "out", image_dir=moved, num_images=2)
    for path in paths[0], paths[2]:
        assert f"The gallery lacks an image {moved}" in path.read_text()


def test_what_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    prepare_report(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write to .*file .*choose another --out-dir"):
        prepare_report(tmp_path / "file")
    with pytest.raises(ValueError, match="--num-images is -1; expected 0 or more"):
        prepare_report(tmp_path, num_images=-1)


def test_cost_is_drawn_where_the_value_lies_outside_of_its_interval(compared) -> None:
    comparison, _ = compared
    cost = Cost(1_000_000, InferenceCost(2_000_000, 1000, 0.1, 0.01, 8, 3, "cpu"), None)
    metrics = [
        dict(each, AP=replace(each["AP"], low=each["AP"].value + 0.1, high=each["AP"].value + 0.2))
        for each in comparison.bootstrap.metrics
    ]
    odd = replace(
        comparison,
        detectors=tuple(replace(detector, cost=cost) for detector in comparison.detectors),
        bootstrap=replace(comparison.bootstrap, metrics=tuple(metrics)),
    )
    svg = plots.plot_cost(odd)
    assert "ms per image" in svg and ">good<" in svg and ">poor<" in svg


def test_many_detectors_can_be_told_apart() -> None:
    assert len({tuple(plots.line(index).items()) for index in range(24)}) == 24


def test_without_images_there_is_no_gallery(compared, tmp_path: Path) -> None:
    comparison, evaluation = compared
    page = write_report(comparison, evaluation, tmp_path)[2].read_text()
    assert "<img" not in page and "differ most" not in page


def test_plots_show_every_detector_metric_and_class(compared) -> None:
    comparison, _ = compared
    differences = plots.plot_differences(comparison)
    for label in ("AP50", "AP small", "AR", "difference to good"):
        assert label in differences
    assert all(name in plots.plot_precision_recall(comparison) for name in comparison.names)
    classes = plots.plot_classes(comparison)
    for label, estimate in zip(
        comparison.bootstrap.classes, comparison.bootstrap.class_differences[0], strict=True
    ):
        assert (f">{label}<" in classes) == (estimate.value is not None)
    assert plots.plot_cost(comparison) is None
    assert plots.plot_training(comparison) is None
    assert plots.plot_differences(comparison) == differences  # the same comparison, the same file


def test_a_number_of_few_images_is_a_point_without_a_line(compared) -> None:
    comparison, _ = compared
    (differences,) = comparison.bootstrap.differences

    def drawn(low: float | None, high: float | None) -> str:
        ends = {name: replace(one, low=low, high=high) for name, one in differences.items()}
        odd = replace(comparison, bootstrap=replace(comparison.bootstrap, differences=(ends,)))
        return plots.plot_differences(odd)

    defined = sum(differences[name].value is not None for name in METRICS)
    hollow = "fill: #ffffff; stroke: #d55e00"
    for svg, lines in ((drawn(None, None), 0), (drawn(-0.1, 0.1), defined)):
        assert len(re.findall("fill: none; stroke: #d55e00; stroke-width: 2", svg)) == lines
        assert len(re.findall(f"<use [^>]*{hollow}", svg)) == lines
    points = re.findall(r"<use [^>]*fill: #d55e00; stroke: #d55e00", drawn(None, None))
    assert len(points) == defined


def test_a_plot_of_many_classes_is_folded(compared, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison, _ = compared
    assert "<summary>Plot</summary>" not in page.html(comparison, {})
    monkeypatch.setattr(page, "_MOST_INTERVALS", 2)
    assert page.html(comparison, {}).count("<summary>Plot</summary>") == 1


def test_training_curves_are_drawn_where_there_are_logs(compared) -> None:
    comparison, _ = compared
    curves = Curves("run", ((10, 2.0), (20, 1.0)), ((1, 0.2),))
    first = replace(comparison.detectors[0], curves=(curves,))
    svg = plots.plot_training(replace(comparison, detectors=(first, *comparison.detectors[1:])))
    assert "training loss" in svg and ">good<" in svg
