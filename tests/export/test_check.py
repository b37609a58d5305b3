"""Differences between two lists of detections."""

from __future__ import annotations

import numpy as np
import pytest

from senet_mm.export.check import Differences, compare, match, predict
from senet_mm.export.runtime import Detections
from tests.export.nets import scene, small_detector

ABOUT = dict(scale=[160, 112], keep_ratio=True, size=None, fill=[104, 116, 124])


def found(boxes: list[list[float]], labels: list[int], scores: list[float]) -> Detections:
    return Detections(
        np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels), np.array(scores)
    )


def test_matches_by_class_and_box() -> None:
    one = found([[0, 0, 9, 9], [5, 5, 20, 20], [0, 0, 9, 9]], [0, 0, 1], [0.9, 0.8, 0.7])
    other = found([[5.2, 5, 20, 20], [0, 0, 9, 9], [0, 0, 30, 30]], [0, 0, 1], [0.8, 0.9, 0.7])
    first, second = match(one, other)
    assert list(zip(first, second, strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("empty", ["one", "other", "both"])
def test_nothing_matches_nothing(empty: str) -> None:
    full, none = found([[0, 0, 9, 9]], [0], [0.9]), found([], [], [])
    first, _ = match(full if empty == "other" else none, full if empty == "one" else none)
    assert len(first) == 0


class Moved:
    """An exported file that finds what mmdet finds, moved by a little, and not its last object."""

    description = ABOUT

    def __init__(self, model: object) -> None:
        self._model = model

    def __call__(self, picture: np.ndarray) -> Detections:
        whole = predict(self._model, picture, ABOUT)
        masks = whole.masks.copy()
        masks[0] = False
        return Detections(
            whole.boxes[:-1] + 0.25, whole.labels[:-1], whole.scores[:-1] - 0.01, masks[:-1]
        )


def test_counts_and_measures() -> None:
    model = small_detector("mask", se=True)
    differences = compare(model, Moved(model), [scene(90, 130), scene(130, 90, seed=1)])
    assert differences.pictures == 2 and differences.unmatched == 2
    assert differences.box == pytest.approx(0.25, abs=1e-4)
    assert differences.score == pytest.approx(0.01, abs=1e-6)
    assert differences.mask == 1.0
    assert not differences.within_tolerance
    assert "2 not in both" in str(differences)


def test_tolerance() -> None:
    assert Differences(1, 5, 0, 0.009, 0.00009, None).within_tolerance
    for box, score, unmatched in ((0.011, 0, 0), (0, 0.00011, 0), (0, 0, 1)):
        assert not Differences(1, 5, unmatched, box, score, None).within_tolerance
