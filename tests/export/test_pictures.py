"""Which pictures a file is calibrated on."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from senet_mm.export.pictures import pictures_in
from tests.export.nets import scene


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    for number in range(10):
        cv2.imwrite(str(place / f"{number}.JPG"), scene(20, 30))
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.mark.parametrize(
    ("limit", "chosen"), [(3, "036"), (4, "0257"), (10, "0123456789"), (99, "0123456789")]
)
def test_spread_evenly(folder: Path, limit: int, chosen: str) -> None:
    assert "".join(path.stem for path in pictures_in([str(folder)], limit)) == chosen


def test_pictures_beside_folders(folder: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    cv2.imwrite(str(one), scene(20, 30))
    found = pictures_in([str(one), str(folder)], 50)
    assert found == [one, *sorted(folder.glob("*.JPG"))]
    assert pictures_in([], 50) == []
