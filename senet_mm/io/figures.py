"""Legends whose labels are taken as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend


def add_legend(place: Axes | Figure, handles: Mapping[str, Artist], **options: Any) -> Legend:
    """Add a legend.

    Left alone, matplotlib hides labels that start with an underscore, and sets what is
    between two dollar signs as a formula.

    Args:
        place: What to add it to.
        handles: What stands for each label.
        options: matplotlib's, such as ``loc``.
    """
    legend = place.legend(list(handles.values()), ["label"] * len(handles), **options)
    for text, label in zip(legend.get_texts(), handles, strict=True):
        text.set_parse_math(False)
        text.set_text(label)
    return legend
