"""Which object each detection of one image finds, and what is wrong with those that find none.

The rules are TIDE's: Bolya et al., TIDE: A General Toolbox for Identifying Object Detection
Errors, arXiv 2008.08115, section 2.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FOREGROUND, BACKGROUND = 0.5, 0.1  # IoUs, t_f and t_b in the paper
ERRORS = ("classification", "localization", "both", "duplicate", "background", "missed")
CLASSIFICATION, LOCALIZATION, BOTH, DUPLICATE, BACKGROUND_ERROR, MISSED = range(len(ERRORS))


@dataclass(frozen=True, eq=False)
class Columns:
    """What the images fill in, by detection; objects by their place among those that count."""

    found: np.ndarray
    iou: np.ndarray
    is_ignored: np.ndarray
    error: np.ndarray
    aim: np.ndarray  # the object that it should have found
    confused: np.ndarray

    @classmethod
    def empty(cls, total: int) -> Columns:
        """As where there is no object."""

        def nothing() -> np.ndarray:
            return np.full(total, -1, dtype=np.int32)

        return cls(
            found=nothing(),
            iou=np.zeros(total),
            is_ignored=np.zeros(total, dtype=bool),
            error=np.full(total, BACKGROUND_ERROR, dtype=np.int8),
            aim=nothing(),
            confused=nothing(),
        )


def assign(
    columns: Columns, rows: slice, overlaps: np.ndarray, same: np.ndarray, places: np.ndarray
) -> None:
    """Fill in one image.

    Args:
        columns: What is filled.
        rows: The image's detections in it.
        overlaps: (d, n) IoU with the objects, crowds left out.
        same: (d, n) whether the class is the same.
        places: (n,) the objects.
    """
    if not len(places):
        return
    own, other = overlaps * same, overlaps * ~same
    best_own, best_other = own.argmax(axis=1), other.argmax(axis=1)
    every = np.arange(len(own))
    found = _match(own)
    hits = found >= 0
    used = np.zeros(len(places), dtype=bool)
    used[found[hits]] = True
    # the first rule that holds: a detection is of one kind
    own_iou, other_iou = own[every, best_own], other[every, best_other]
    rules = {
        LOCALIZATION: (own_iou >= BACKGROUND) & (own_iou <= FOREGROUND),
        CLASSIFICATION: other_iou >= FOREGROUND,
        DUPLICATE: (own * used).max(axis=1) >= FOREGROUND,
        BACKGROUND_ERROR: overlaps.max(axis=1) <= BACKGROUND,
    }
    error = np.select(list(rules.values()), list(rules), BOTH)
    aim = np.where(error == LOCALIZATION, best_own, best_other)
    aimed = ((error == LOCALIZATION) | (error == CLASSIFICATION)) & ~hits
    columns.error[rows] = np.where(hits, -1, error)
    columns.found[rows] = np.where(hits, places[found], -1)
    columns.iou[rows] = np.where(hits, overlaps[every, found], 0)
    columns.aim[rows] = np.where(aimed, places[aim], -1)
    columns.confused[rows] = np.where(other_iou >= FOREGROUND, places[best_other], -1)


def _match(own: np.ndarray) -> np.ndarray:
    """(d,) the object that each detection finds, the best ones first; -1 for none."""
    found, free = np.full(len(own), -1), own.copy()
    for row in np.flatnonzero(own.max(axis=1) >= FOREGROUND):
        column = free[row].argmax()
        if free[row, column] >= FOREGROUND:
            found[row] = column
            free[:, column] = 0
    return found
