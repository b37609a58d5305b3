from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from senet_mm.comparison.report.pictures import Drawing, draw_panels


def test_one_panel_per_caption(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), np.full((40, 60, 3), 90, np.uint8))
    box = Drawing([10, 10, 20, 10], "ring 0.50", (255, 0, 0))
    picture = draw_panels(path, {"truth": [box], "nothing": []})
    # enlarged until the short side has 384 pixels, or the long one 640
    scale = 384 / 40
    assert 60 * scale < 640
    assert picture.shape == (384 + 28, 2 * (576 + 4), 3)
    truth, nothing = picture[28:, :580], picture[28:, 580:]
    assert (nothing[:, 2:-2] == 90).all()
    red = (truth == (255, 0, 0)).all(axis=2)
    rows, columns = np.nonzero(red)
    assert abs(rows.min() - 10 * scale) < 3 and abs(rows.max() - 20 * scale) < 3
    assert abs(columns.min() - 2 - 10 * scale) < 3 and abs(columns.max() - 2 - 30 * scale) < 3


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), np.zeros((1000, 2000, 3), np.uint8))
    assert draw_panels(path, {"a": []}).shape == (320 + 28, 640 + 4, 3)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    for name in ("x.png", "y.png"):
        with pytest.raises(FileNotFoundError, match=f"image .*{name} is not there, or is no image"):
            draw_panels(tmp_path / name, {"a": []})


def test_masks_are_laid_over_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), np.full((400, 400, 3), 100, np.uint8))
    mask = np.zeros((400, 400), np.uint8, order="F")
    mask[100:200, 50:350] = 1
    drawing = Drawing([50, 100, 300, 100], "", (200, 0, 0), mask_utils.encode(mask))
    picture = draw_panels(path, {"masks": [drawing]})[28:, 2:-2]
    inside = picture[110:190, 60:340]
    assert (inside == (150, 50, 50)).all()
    assert (picture[:95] == 100).all()


def test_boxes_and_labels_that_leave_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), np.full((400, 400, 3), 100, np.uint8))
    drawings = [
        Drawing([-50, -20, 1000, 1000], "large", (255, 0, 0)),
        Drawing([390, 395, 5, 2], "at the edge", (0, 255, 0)),
        Drawing([200, 200, -40, -10], "negative sides", (0, 0, 255)),
        Drawing([30, 30, 0, 0], "\u732b \u0441\u043e\u0431\u0430\u043a\u0430", (9, 9, 9)),
    ]
    picture = draw_panels(path, {"\u732b": drawings})
    assert picture.shape == (428, 404, 3)
    assert (picture[28 + 380 :, 280:390] == 255).any()  # the label at the edge is moved inside
