"""Tables that read well as text and as Markdown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

# where Markdown would begin a tag, an entity, or end a link's or picture's text
_MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=[#\w]+;)|(?<=])\((?=[^)]*\))|`")
# marks that turn the direction of the text after them
_TURNS = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, no links, no control characters, one line.

    Names of classes and files come from whoever made them.
    """
    text = "".join(
        char
        if unicodedata.category(char) != "Cc" and char not in _TURNS
        else "\N{REPLACEMENT CHARACTER}"
        for char in " ".join(text.splitlines())
    )
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table.

    Args:
        rows: The header, the row of dashes, and the rows, all of one length.

    Returns:
        The table, its columns padded to one width. Cells are text: see :func:`escape`.
    """
    rows = [[escape(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )
