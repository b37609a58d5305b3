from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from senet_mm.classification.scores import read_scores
from senet_mm.runs.class_scores import ScoresMetric, describe

SCORES = np.random.default_rng(0).dirichlet(np.ones(7), 6).astype(np.float32)
LABELS = [0, 1, 2, 3, 4, 0]


def sample(number: int, **changes: Any) -> dict[str, Any]:
    """What mmengine gives a metric of an image."""
    found = dict(
        pred_score=torch.tensor(SCORES[number]),
        gt_label=torch.tensor([LABELS[number]]),
        img_path=f"data/val/cat/{number}.png",
        sample_idx=number,
    )
    return {key: value for key, value in (found | changes).items() if value is not None}


def test_errors_and_file(tmp_path: Path) -> None:
    out = str(tmp_path / "scores.npz")
    metric = ScoresMetric("x.pth", [Path("data/val")], out_file=out)
    metric.dataset_meta = dict(classes=("a", "b", "c"))
    metric.process({}, [sample(number) for number in range(4)])
    metric.process({}, [sample(4), sample(5, img_path=None)])
    metrics = metric.evaluate(6)
    order = np.argsort(-SCORES, axis=1, kind="stable")
    places = [[*row].index(label) for label, row in zip(LABELS, order, strict=True)]
    top1, top5 = (100 * np.mean([place >= k for place in places]) for k in (1, 5))
    assert metrics == {
        "error/top1": pytest.approx(top1),
        "error/top5": pytest.approx(top5),
        "error/images": 6,
    }
    assert describe(metrics) == f"top-1 error {top1:.2f} %, top-5 error {top5:.2f} % on 6 images"
    scores = read_scores(out)
    assert np.array_equal(scores.scores, SCORES) and scores.labels.tolist() == LABELS
    assert scores.images.tolist() == [*(f"cat/{number}.png" for number in range(5)), "5"]
    assert scores.classes.tolist() == ["a", "b", "c", "class 3", "class 4", "class 5", "class 6"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(pred_score=None), "the model gives no scores"),
        (dict(gt_label=None), "none or several labels"),
        (dict(gt_label=torch.tensor([0, 2])), "none or several labels"),
    ],
)
def test_classifiers_of_other_kinds(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScoresMetric("x.pth", out_file="out.npz").process({}, [sample(0, **changes)])
    metric = ScoresMetric("x.pth")
    metric.process({}, [sample(0, **changes)])
    assert metric.evaluate(1) == {} and describe({"multi-label/mAP": 3.0}) is None
