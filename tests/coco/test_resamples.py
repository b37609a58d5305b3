import numpy as np

from senet_mm.coco.resamples import draw_images


def test_the_data_set_and_then_draws_of_its_size() -> None:
    weights = draw_images(30, 2000, seed=1)
    assert weights.shape == (2001, 30) and weights.dtype == np.int32
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 30).all()
    # with replacement: an image is left out with (1 - 1 / 30) ** 30 = 0.36
    assert abs((weights[1:] == 0).mean() - (29 / 30) ** 30) < 0.01
    np.testing.assert_array_equal(weights, draw_images(30, 2000, seed=1))
    assert (weights != draw_images(30, 2000, seed=2)).any()
