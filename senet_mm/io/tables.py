"""Tables that read well as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table.

    Args:
        rows: The header, the row of dashes, and the rows, all of one length.

    Returns:
        The table, its columns padded to one width. A ``|`` in a cell is escaped.
    """
    rows = [[" ".join(cell.splitlines()).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
