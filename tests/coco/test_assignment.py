"""TIDE's rules on overlaps written by hand."""

import numpy as np
import pytest

from senet_mm.coco.assignment import ERRORS, Columns, assign

# the first detection finds the first object, of its class; the second object is of another class
FIRST = [0.9, 0.0]


@pytest.mark.parametrize(
    ("overlaps", "error"),
    [
        ([0.0, 0.0], "background"),
        ([0.1, 0.05], "localization"),  # a limit belongs to both kinds: the first rule holds
        ([0.3, 0.0], "localization"),
        ([0.5, 0.0], "localization"),
        ([0.0, 0.5], "classification"),
        ([0.05, 0.3], "both"),
        ([0.8, 0.0], "duplicate"),
        ([0.8, 0.6], "classification"),
    ],
)
def test_the_error_of_a_detection_behind_a_better_one(overlaps: list[float], error: str) -> None:
    columns = Columns.empty(2)
    same = np.array([[True, False]] * 2)
    assign(columns, slice(0, 2), np.array([FIRST, overlaps]), same, np.array([4, 7]))
    assert columns.found.tolist() == [4, -1] and columns.iou.tolist() == [0.9, 0]
    assert ERRORS[columns.error[1]] == error and columns.error[0] == -1
    aims = {"localization": 4, "classification": 7}
    assert columns.aim[1] == aims.get(error, -1)
    assert columns.confused[1] == (7 if overlaps[1] >= 0.5 else -1)


def test_the_better_score_chooses_first() -> None:
    columns = Columns.empty(2)
    own = np.array([[0.7, 0.6], [0.9, 0.55]])
    assign(columns, slice(0, 2), own, np.ones((2, 2), dtype=bool), np.array([0, 1]))
    assert columns.found.tolist() == [0, 1]
    assert columns.iou.tolist() == [0.7, 0.55]
