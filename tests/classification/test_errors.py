from __future__ import annotations

import numpy as np
import pytest
import torch

from senet_mm.classification.errors import ranks, top_errors


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray]:
    """Scores of 300 images and 12 classes without ties, the right class often high."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 12, 300)
    logits = rng.normal(size=(300, 12)) + 1.5 * np.eye(12)[labels]
    return torch.tensor(logits).softmax(dim=1).float().numpy(), labels


@pytest.mark.parametrize("k", [1, 2, 5, 12])
def test_equal_to_torch(case: tuple[np.ndarray, np.ndarray], k: int) -> None:
    scores, labels = case
    top = torch.tensor(scores).topk(k, dim=1).indices
    hit = (top == torch.tensor(labels)[:, None]).any(dim=1).numpy()
    assert np.array_equal(ranks(scores, labels) >= k, ~hit)
    assert hit.mean() > 0 and (k == 12) == hit.all()


def test_equal_to_mmpretrain(case: tuple[np.ndarray, np.ndarray]) -> None:
    metrics = pytest.importorskip("mmpretrain.evaluation")
    scores, labels = case
    (top1,), (top5,) = metrics.Accuracy.calculate(scores, labels, topk=(1, 5), thrs=(None,))
    errors = top_errors(scores, labels)
    assert errors == pytest.approx({1: 100 - top1.item(), 5: 100 - top5.item()}, abs=1e-4)


def test_the_lower_number_wins_a_tie() -> None:
    scores = np.array([[0.2, 0.4, 0.4], [0.5, 0.5, 0.0], [1.0, 1.0, 1.0]], dtype=np.float32)
    assert ranks(scores, np.array([1, 1, 2])).tolist() == [0, 1, 2]
    assert ranks(scores, np.array([2, 0, 0])).tolist() == [1, 0, 0]
    assert (ranks(scores, np.array([1, 0, 0])) == 0).all() == (scores.argmax(1) == [1, 0, 0]).all()


def test_an_error_that_cannot_be_is_left_out() -> None:
    labels = np.array([0, 1, 1, 0])
    assert top_errors(np.eye(2)[labels], 1 - labels) == {1: 100.0}
    assert top_errors(np.eye(5)[labels], labels) == {1: 0.0}
    assert top_errors(np.eye(6)[labels], np.array([0, 1, 1, 5])) == {1: 25.0, 5: 25.0}
