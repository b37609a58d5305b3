import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from senet_mm.evaluation import plots
from senet_mm.evaluation.report import write_report
from senet_mm.evaluation.training_curves import Curves

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


def test_three_files_and_nothing_else(compared, tmp_path: Path) -> None:
    comparison, evaluated = compared
    paths = write_report(comparison, evaluated, tmp_path, num_images=4)
    assert [path.name for path in paths] == ["report.md", "report.json", "report.html"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)

    numbers = json.loads(paths[1].read_text())
    ap = comparison.bootstrap.differences[0]["AP"]
    assert numbers["bootstrap"]["differences"][0]["AP"]["low"] == ap.low
    assert len(numbers["detectors"][0]["precision"]["0.50"]) == 101

    text = paths[0].read_text()
    assert text.startswith("# poor against good\n\npoor is worse than good on such images: AP -")
    assert f"{100 * ap.low:+.1f} to {100 * ap.high:+.1f}" in text


def test_the_page_is_whole_and_needs_no_other_file(compared, tmp_path: Path) -> None:
    comparison, evaluated = compared
    detectors = tuple(
        replace(detector, name=f"<b>{detector.name}</b> & co") for detector in comparison.detectors
    )
    odd = replace(comparison, detectors=detectors)
    page = write_report(odd, evaluated, tmp_path, num_images=4)[2].read_text()
    parser = Balanced()
    parser.feed(page)
    assert not parser.open
    assert parser.seen.count("svg") == 3  # differences, precision and recall, classes
    assert parser.seen.count("img") >= 3
    assert "<b>" not in page and "&lt;b&gt;poor&lt;/b&gt; &amp; co" in page
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "@import" not in page and "url(http" not in page


def test_without_images_there_is_no_gallery(compared, tmp_path: Path) -> None:
    comparison, evaluated = compared
    page = write_report(comparison, replace(evaluated, image_dir=None), tmp_path)[2].read_text()
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


def test_training_curves_are_drawn_where_there_are_logs(compared) -> None:
    comparison, _ = compared
    curves = Curves("run", ((10, 2.0), (20, 1.0)), ((1, 0.2),))
    first = replace(comparison.detectors[0], curves=(curves,))
    svg = plots.plot_training(replace(comparison, detectors=(first, *comparison.detectors[1:])))
    assert "training loss" in svg and ">good<" in svg
