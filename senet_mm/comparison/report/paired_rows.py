"""Numbers of all detectors and their differences, as the rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...coco.paired import Paired
from ..comparison import Comparison
from .tables import Rows, difference_cells, percent


@dataclass(frozen=True)
class Row:
    """A number of all detectors."""

    label: str
    numbers: Paired
    key: str


def paired_rows(comparison: Comparison, title: str, rows: Iterable[Row]) -> Rows:
    """Values of all detectors, then each difference with its interval; of one alone its p-value."""
    names = comparison.names
    header = [title, *names, *(f"{name} - {names[0]}" for name in names[1:])]
    with_p = len(names) == 2
    lines: Rows = [[*header, "p"] if with_p else header]
    for row in rows:
        values = [percent(numbers[row.key].value) for numbers in row.numbers.detectors]
        cells = [difference_cells(each[row.key]) for each in row.numbers.differences]
        lines.append([row.label, *values, *(_joined(cell) for cell in cells)])
        if with_p:
            lines[-1].append(cells[0][2])
    return lines


def _joined(cells: Sequence[str]) -> str:
    """A difference and its interval in one cell."""
    difference, interval, _ = cells
    return difference if interval == "-" else f"{difference} ({interval})"
