"""Why detectors differ, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...coco.bootstrap import Estimate
from ...coco.calibration import MIN_SCORE
from ...coco.error_types import ALL_ERRORS
from ...coco.explanation import Part
from ...coco.lrp import PARTS
from ...coco.operating import RATES
from ...coco.outcomes import ERRORS, SIZES
from ...coco.paired import Paired
from ..comparison import Comparison
from .tables import Rows, difference_cells, table

_NAMED = 3  # error types that a sentence names
_CONFUSIONS = 10  # that are shown
_SHOWN_MATRIX = 10  # classes, up to which the whole matrix is shown

ABOUT_ERRORS = (
    "AP50 that a detector would gain if all its errors of one type were mended (dAP of TIDE). "
    "Classification: on an object, under another class. Localization: an IoU of 0.1 to 0.5. Both: "
    "neither class nor place. Duplicate: on an object that was found already. Background: on "
    "nothing. Missed: an object without any of these. False positives: all, scored below every "
    "hit. False negatives: all objects that were not found. They do not add up."
)
ABOUT_CLASSES = (
    "Differences of dAP to the baseline, below 0 where fewer errors are made; * where the interval "
    "leaves 0 out. A class can gain by errors of another: what was found under its name is gone."
)
ABOUT_RELIABILITY = (
    "Left: precision of detections by their score; below the line, scores are too high. Right: how "
    "many detections there are. Of the first run of a detector."
)
_ABOUT_RATES = (
    "oLRP: the least error over the score thresholds of a class, lower is better; localization is "
    "the mean of (1 - IoU) / 0.5. Precision, recall and F1: all classes together, IoU 0.5. D-ECE: "
    "mean distance of score and precision in ten bins of the score, of detections with a score of "
    f"{MIN_SCORE:g} or more."
)


@dataclass(frozen=True)
class _Row:
    """A number of all detectors."""

    label: str
    numbers: Paired
    key: str


def error_rows(comparison: Comparison) -> Rows:
    """dAP of each error type, in points of AP50."""
    numbers = comparison.explanation.error_types
    return _rows(comparison, "AP50 lost", (_Row(name, numbers, name) for name in ALL_ERRORS))


def error_size_rows(comparison: Comparison) -> Rows:
    """dAP of each error type and size."""
    by_size = comparison.explanation.error_types_by_size
    rows = (_Row(f"{name}, {size}", by_size[size], name) for name in ERRORS for size in SIZES)
    return _rows(comparison, "AP50 lost", rows)


def error_class_rows(comparison: Comparison) -> Rows:
    """Difference of dAP to the baseline by class, those with an interval that leaves 0 out marked.

    A column per error type, for each detector but the baseline.
    """
    names, classes = comparison.names, comparison.bootstrap.classes
    several = len(names) > 2
    columns = [
        f"{name}: {error}" if several else error for name in names[1:] for error in ALL_ERRORS
    ]
    rows = [["class", *columns]]
    for label, numbers in zip(classes, comparison.explanation.error_types_by_class, strict=True):
        if numbers.detectors[0][ERRORS[0]].value is None:
            continue
        cells = [_marked(each[error]) for each in numbers.differences for error in ALL_ERRORS]
        rows.append([label, *cells])
    return rows


def rate_rows(comparison: Comparison) -> Rows:
    """oLRP with its parts, precision, recall and F1 at two thresholds, and calibration."""
    explanation = comparison.explanation
    at = f"score {explanation.threshold:g}"
    rows = [
        *(
            _Row(name if name == "oLRP" else f"oLRP: {name}", explanation.lrp, name)
            for name in PARTS
        ),
        *(_Row(f"{name}, best threshold", explanation.best, name) for name in RATES),
        *(_Row(f"{name}, {at}", explanation.given, name) for name in RATES),
        _Row("D-ECE", explanation.calibration, "D-ECE"),
    ]
    return _rows(comparison, "", rows)


def about_rates(comparison: Comparison) -> str:
    """What the rates are, and the thresholds of the best F1."""
    thresholds = comparison.explanation.best_thresholds
    told = "; ".join(
        f"{name} {', '.join(f'{value:.2f}' for value in values)}"
        for name, values in zip(comparison.names, thresholds, strict=True)
    )
    return f"{_ABOUT_RATES} Score threshold of the best F1: {told}."


def frequency_rows(comparison: Comparison) -> Rows:
    """AP of rare, common and frequent classes; the header alone where there are few classes."""
    return _part_rows(comparison, "AP by class frequency", comparison.explanation.frequency)


def slice_rows(comparison: Comparison) -> Rows:
    """AP of each slice; the header alone where none was asked for."""
    return _part_rows(comparison, "AP by slice", comparison.explanation.slices)


def confusion_rows(comparison: Comparison) -> Rows:
    """The most frequent confusions of two classes, counted for each detector's first run."""
    classes, matrices = comparison.bootstrap.classes, comparison.explanation.confusions
    total = len(classes)
    pairs = [(i, k) for i in range(total) for k in range(total) if i != k]
    most = {(i, k): max(matrix[i][k] for matrix in matrices) for i, k in pairs}
    pairs = sorted((pair for pair in pairs if most[pair]), key=lambda pair: -most[pair])
    rows = [["object", "found as", *comparison.names]]
    for i, k in pairs[:_CONFUSIONS]:
        rows.append([classes[i], classes[k], *(f"{matrix[i][k]:,}" for matrix in matrices)])
    return rows


def confusion_matrices(comparison: Comparison) -> dict[str, Rows]:
    """The whole matrix of each detector by its name; none where there are many classes."""
    classes, matrices = comparison.bootstrap.classes, comparison.explanation.confusions
    if len(classes) > _SHOWN_MATRIX:
        return {}
    labels = (*classes, "background")
    return {
        name: [
            ["object \\ found as", *classes, "missed"],
            *([label, *map(str, row)] for label, row in zip(labels, matrix, strict=True)),
        ]
        for name, matrix in zip(comparison.names, matrices, strict=True)
    }


def about_confusions(comparison: Comparison) -> str:
    """What is counted."""
    return (
        f"Detections with a score of {comparison.explanation.threshold:g} or more that overlap an "
        "object of another class by an IoU of 0.5 or more, where nothing found that object under "
        "its own; of the first run of a detector."
    )


def why_sentences(comparison: Comparison) -> list[str]:
    """Which error types differ, a sentence per detector but the baseline."""
    return [
        _sentence(comparison.names[index], comparison.names[0], differences)
        for index, differences in enumerate(comparison.explanation.error_types.differences, start=1)
    ]


def why_tables(comparison: Comparison) -> str:
    """All but the tables by class and the matrices, as Markdown."""
    rows = [error_rows(comparison), rate_rows(comparison)]
    rows += [
        part
        for part in (
            frequency_rows(comparison),
            slice_rows(comparison),
            confusion_rows(comparison),
        )
        if len(part) > 1
    ]
    return "\n\n".join(map(table, rows))


def _sentence(name: str, baseline: str, differences: dict[str, Estimate]) -> str:
    shown = [
        (error, estimate)
        for error, estimate in differences.items()
        if error in ERRORS and _leaves_zero_out(estimate)
    ]
    if not shown:
        return f"No type of error is shown to cost {name} more or less than {baseline}."
    shown.sort(key=lambda item: -abs(item[1].value or 0))
    told = []
    for error, estimate in shown[:_NAMED]:
        difference, interval, _ = difference_cells(estimate)
        more = "more" if (estimate.value or 0) > 0 else "less"
        told.append(f"{error} errors cost {difference[1:]} AP50 {more} ({interval})")
    return f"{name} against {baseline}: {'; '.join(told)}."


def _leaves_zero_out(estimate: Estimate) -> bool:
    return estimate.interval is not None and (estimate.interval[0] > 0 or estimate.interval[1] < 0)


def _rows(comparison: Comparison, title: str, rows: Iterable[_Row]) -> Rows:
    """Values of all detectors, then each difference with its interval; of one alone its p-value."""
    names = comparison.names
    header = [title, *names, *(f"{name} - {names[0]}" for name in names[1:])]
    with_p = len(names) == 2
    lines: Rows = [[*header, "p"] if with_p else header]
    for row in rows:
        values = [_percent(numbers[row.key].value) for numbers in row.numbers.detectors]
        cells = [difference_cells(each[row.key]) for each in row.numbers.differences]
        lines.append([row.label, *values, *(_joined(cell) for cell in cells)])
        if with_p:
            lines[-1].append(cells[0][2])
    return lines


def _joined(cells: Sequence[str]) -> str:
    """A difference and its interval in one cell."""
    difference, interval, _ = cells
    return difference if interval == "-" else f"{difference} ({interval})"


def _part_rows(comparison: Comparison, title: str, parts: Sequence[Part]) -> Rows:
    rows = (_Row(f"{part.name} ({part.about})", part.precision, "AP") for part in parts)
    return _rows(comparison, title, rows)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _marked(estimate: Estimate) -> str:
    return difference_cells(estimate)[0] + ("*" if _leaves_zero_out(estimate) else "")
