"""A map as a vector."""

import pytest
import torch
from mmdet.registry import MODELS

import senet_mm  # noqa: F401


@pytest.mark.parametrize("pool", [False, True])
def test_the_last_map_flat_or_averaged(pool: bool) -> None:
    neck = MODELS.build(dict(type="VectorNeck", pool=pool))
    maps = [torch.randn(2, 3, 8, 8), torch.randn(2, 4, 3, 5)]
    (vector,) = neck(maps)
    if pool:
        torch.testing.assert_close(vector, maps[1].mean(dim=(2, 3)))
    else:
        assert torch.equal(vector, maps[1].reshape(2, 60))


def test_dropout_in_training_alone() -> None:
    torch.manual_seed(0)
    neck = MODELS.build(dict(type="VectorNeck", pool=True, dropout=0.2))
    maps = [torch.ones(100, 100, 1, 1)]
    (vector,) = neck.train()(maps)
    assert set(vector.unique().tolist()) == {0.0, 1.25}
    assert (vector == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)
    (vector,) = neck.eval()(maps)
    assert torch.equal(vector, torch.ones(100, 100))
