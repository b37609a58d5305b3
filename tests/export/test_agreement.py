"""Objects that are found again, whose boxes and scores have moved."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from senet_mm.export import agreement as module
from senet_mm.export.agreement import Agreement, agreement
from senet_mm.export.runtime import Detections

PICTURE = np.zeros((4, 4, 3), dtype=np.uint8)


def found(*objects: tuple[list[float], int, float]) -> Detections:
    boxes, labels, scores = zip(*objects, strict=True) if objects else ([], [], [])
    return Detections(
        np.array(boxes, dtype=np.float32).reshape(-1, 4), np.array(labels, int), np.array(scores)
    )


def between(
    monkeypatch: pytest.MonkeyPatch, one: list[Detections], other: list[Detections]
) -> Agreement:
    first, second = iter(one), iter(other)

    class Exported:
        description: dict = {}

        def __call__(self, picture: np.ndarray) -> Detections:
            return next(second)

    monkeypatch.setattr(module, "predict", lambda *_: next(first))
    return agreement(nn.Identity(), Exported(), [PICTURE] * len(one))


def test_counts_and_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    mmdet = found(
        ([0, 0, 10, 10], 0, 0.9),  # moved by a tenth: IoU 90 / 110
        ([0, 0, 10, 10], 1, 0.8),  # of another class there
        ([50, 50, 60, 60], 0, 0.5),  # less sure there, and there in the same place
        ([20, 20, 30, 30], 0, 0.2),  # it is not sure of
    )
    file = found(
        ([1, 0, 11, 10], 0, 0.86),
        ([0, 0, 10, 10], 2, 0.8),  # new
        ([20, 20, 30, 30], 0, 0.4),  # not new
        ([50, 50, 60, 60], 0, 0.1),
        ([80, 80, 90, 90], 0, 0.1),  # it is not sure of
    )
    both = between(monkeypatch, [mmdet, found(), mmdet], [file, file, found()])
    assert (both.pictures, both.objects, both.kept) == (3, 6, 2)
    assert both.new == 1 + 3
    assert both.iou == pytest.approx((90 / 110 + 1) / 2)
    assert both.score == pytest.approx((0.04 + 0.4) / 2)
    assert str(both).startswith("of 6 objects with scores of 0.3 or more on 3 pictures 2 are found")


def test_nothing_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    none = between(monkeypatch, [found()], [found()])
    assert (none.objects, none.kept, none.new) == (0, 0, 0) and np.isnan(
        [none.iou, none.score]
    ).all()
    assert str(none).endswith("0 are found again; 0 are new")
