"""What may have been meant by a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, number: int = 4, cutoff: float = 0.4) -> str:
    """The end of an error: which known names are nearest; empty where none is near.

    Args:
        name: What was given.
        known: What there is; of equally near names the first ones are told.
        number: How many are told at most.
        cutoff: How near they must be, 0 to 1.
    """
    near = difflib.get_close_matches(name, list(known), n=number, cutoff=cutoff)
    return f"; the nearest are {', '.join(near)}" if near else ""
