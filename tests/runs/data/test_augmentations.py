"""Cutout and jitter, against what their papers say."""

import numpy as np
import pytest
from mmcv.transforms import TRANSFORMS

import senet_mm  # noqa: F401
from senet_mm.runs.data.augmentations import MeanCutout, PixelJitter

MEAN = (125.3, 123.0, 113.9)


@pytest.fixture(autouse=True)
def seeded() -> None:
    np.random.seed(0)


def test_cutout_makes_zeros_of_normalized_images_around_any_pixel() -> None:
    cutout = TRANSFORMS.build(dict(type="MeanCutout", size=4, mean=MEAN))
    image = np.full((6, 8, 3), 200, np.uint8)
    sizes = np.zeros((6, 8), int)
    for _ in range(2000):
        normalized = (cutout(dict(img=image.copy()))["img"] - np.float32(MEAN)) / 60
        zero = (normalized == 0).all(axis=2)
        assert ((normalized == 0).any(axis=2) == zero).all()
        rows, columns = np.flatnonzero(zero.any(axis=1)), np.flatnonzero(zero.any(axis=0))
        assert zero.sum() == len(rows) * len(columns)  # a rectangle
        assert (normalized[~zero] == (200 - np.float32(MEAN)) / 60).all()
        sizes[len(rows) - 1, len(columns) - 1] += 1
    # of 4 x 4 around the 48 pixels, what lies inside: along 6 rows 2, 3, 4, 4, 4 and 3 of them,
    # along 8 columns 2, 3, 4, 4, 4, 4, 4 and 3
    expected = np.outer([0, 1, 2, 3, 0, 0], [0, 1, 2, 5, 0, 0, 0, 0]) / 48
    assert (image == 200).all()
    np.testing.assert_allclose(sizes / 2000, expected, atol=0.035)


def test_jitter_is_uniform_by_channel_and_stays_in_range() -> None:
    jitter = TRANSFORMS.build(dict(type="PixelJitter", limit=20))
    image = np.full((2, 2, 3), 100, np.uint8)
    found = np.stack([jitter(dict(img=image))["img"] for _ in range(2000)])
    assert found.dtype == np.uint8
    assert (found == found[:, :1, :1]).all()  # one number for all pixels
    shifts = found[:, 0, 0].astype(int) - 100
    assert (shifts.min(), shifts.max()) == (-20, 20)
    assert shifts.std() == pytest.approx(20 / 3**0.5, rel=0.05)
    assert abs(np.corrcoef(shifts.T)[np.triu_indices(3, 1)]).max() < 0.08
    image[0, 0], image[0, 1] = 0, 255
    for _ in range(20):
        low, high = jitter(dict(img=image))["img"][0].astype(int)
        assert (low <= 20).all() and (high >= 235).all()


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="size=15 of MeanCutout: expected an even number"):
        MeanCutout(15, mean=MEAN)
    with pytest.raises(ValueError, match="limit=-1 of PixelJitter: expected 0 or more"):
        PixelJitter(-1)
