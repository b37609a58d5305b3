"""Interpolated precision against COCOeval's own loop, one recall after the other."""

import numpy as np
import pytest

from senet_mm.coco.interpolation import RECALLS, interpolate


def by_recall(hits: np.ndarray, objects: int) -> np.ndarray:
    """(101,) precision at each recall, as COCOeval.accumulate reads it; hits are (N,) bools."""
    found = np.cumsum(hits)
    precision = found / (np.arange(len(hits)) + 1 + np.spacing(1))
    for index in range(len(precision) - 1, 0, -1):
        precision[index - 1] = max(precision[index - 1], precision[index])
    values = np.zeros(len(RECALLS))
    for at, recall in enumerate(RECALLS):
        place = np.searchsorted(found / objects, recall, side="left")
        if place < len(precision):
            values[at] = precision[place]
    return values


@pytest.mark.parametrize("objects", [1, 7, 50, 100, 300])
def test_equals_the_loop(objects: int) -> None:
    rng = np.random.default_rng(objects)
    for _ in range(20):
        hits = rng.random(2 * objects) < 0.4
        places = np.flatnonzero(hits)[:objects]
        hits = np.isin(np.arange(len(hits)), places)
        counted = (places + 1)[None]
        found = np.arange(1, len(places) + 1)[None]
        precision, steps = interpolate(found, counted, np.array([[objects]]))
        values = np.repeat(precision[0], steps[0])
        expected = by_recall(hits, objects)
        np.testing.assert_array_equal(values, expected[: len(values)])
        assert not expected[len(values) :].any()


def test_a_recall_counts_as_reached_as_floats_compare() -> None:
    # 57 of 100 objects reach no recall of 57 * 0.01, which is above 0.57, if numpy says so
    found = np.arange(1, 58)[None]
    _, steps = interpolate(found, found, np.array([[100]]))
    assert steps.sum() == np.searchsorted(RECALLS, 57 / 100, side="right")
