"""Why detectors differ, as tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence

from ...coco.assignment import ERRORS
from ...coco.error_types import ALL_ERRORS
from ...coco.explanation import Part
from ...coco.outcomes import SIZES
from ...statistics.estimate import Estimate
from ..comparison import Comparison
from .paired_rows import Row, paired_rows
from .tables import Rows, difference_cells, table

_NAMED = 3  # error types that a sentence names

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


def error_rows(comparison: Comparison) -> Rows:
    """dAP of each error type, in points of AP50."""
    numbers = comparison.explanation.error_types
    return paired_rows(comparison, "AP50 lost", (Row(name, numbers, name) for name in ALL_ERRORS))


def error_size_rows(comparison: Comparison) -> Rows:
    """dAP of each error type and size."""
    by_size = comparison.explanation.error_types_by_size
    rows = (Row(f"{name}, {size}", by_size[size], name) for name in ERRORS for size in SIZES)
    return paired_rows(comparison, "AP50 lost", rows)


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


def frequency_rows(comparison: Comparison) -> Rows:
    """AP of rare, common and frequent classes; the header alone where there are few classes."""
    return _part_rows(comparison, "AP by class frequency", comparison.explanation.frequency)


def slice_rows(comparison: Comparison) -> Rows:
    """AP of each slice; the header alone where none was asked for."""
    return _part_rows(comparison, "AP by slice", comparison.explanation.slices)


def why_sentences(comparison: Comparison) -> list[str]:
    """Which error types differ, a sentence per detector but the baseline."""
    return [
        _sentence(comparison.names[index], comparison.names[0], differences)
        for index, differences in enumerate(comparison.explanation.error_types.differences, start=1)
    ]


def why_tables(comparison: Comparison) -> str:
    """All but the tables by size and class, as Markdown."""
    parts = (frequency_rows(comparison), slice_rows(comparison))
    rows = [error_rows(comparison), *(part for part in parts if len(part) > 1)]
    return "\n\n".join(map(table, rows))


def _sentence(name: str, baseline: str, differences: dict[str, Estimate]) -> str:
    shown = [
        (error, estimate)
        for error, estimate in differences.items()
        if error in ERRORS and estimate.leaves_zero_out
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


def _part_rows(comparison: Comparison, title: str, parts: Sequence[Part]) -> Rows:
    rows = (Row(f"{part.name} ({part.about})", part.precision, "AP") for part in parts)
    return paired_rows(comparison, title, rows)


def _marked(estimate: Estimate) -> str:
    return difference_cells(estimate)[0] + ("*" if estimate.leaves_zero_out else "")
