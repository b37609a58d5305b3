from pathlib import Path

import cv2
import numpy as np
import pytest

from senet_mm.comparison.report.pictures import Box, draw_panels


def test_one_panel_per_caption(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), np.full((40, 60, 3), 90, np.uint8))
    box = Box([10, 10, 20, 10], "ring 0.50", (0, 0, 255))
    picture = draw_panels(path, {"truth": [box], "nothing": []})
    # enlarged until the short side has 384 pixels, or the long one 640
    scale = 384 / 40
    assert 60 * scale < 640
    assert picture.shape == (384 + 28, 2 * (576 + 4), 3)
    truth, nothing = picture[28:, :580], picture[28:, 580:]
    assert (nothing[:, 2:-2] == 90).all()
    red = (truth == (0, 0, 255)).all(axis=2)
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
