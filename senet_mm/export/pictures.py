"""Pictures on which an exported file is calibrated and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

from ..runs.data.datasets import datasets_of, image_dir
from ..runs.data.picture_headers import file_problem, read_header
from ..shapes.render import LIGHTS, render_scene

_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
_NUMBER = 20
_GENERATED = 4


def pictures_to_check(cfg: Config, given: Sequence[str]) -> Iterator[np.ndarray]:
    """Pictures as ``cv2.imread`` gives them: those given, else of the test set, else generated.

    Raises:
        ValueError: If one that was given cannot be read.
    """
    paths = given or _of_test_set(cfg)
    for path in paths:
        yield read_picture(path)
    for seed in range(0 if paths else _GENERATED):
        rng = np.random.default_rng(seed)
        yield render_scene(rng, height=480, width=640, num_objects=8, light=LIGHTS[0]).image


def read_picture(path: str | Path) -> np.ndarray:
    """A picture of shape (H, W, 3), uint8, blue, green and red.

    Raises:
        ValueError: If it cannot be read.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is missing, or no picture that OpenCV reads")
    return picture


def pictures_in(given: Sequence[str], limit: int) -> list[Path]:
    """Paths of pictures, and of those in folders; of more than a limit so many, evenly spread.

    Raises:
        ValueError: If a folder holds none, or one of them is no picture.
    """
    found: list[Path] = []
    for name in given:
        inside = _in_folder(Path(name)) if Path(name).is_dir() else [Path(name)]
        if not inside:
            raise ValueError(f"{name} holds no pictures (expected {', '.join(_SUFFIXES)})")
        found += inside
    number = min(limit, len(found))
    chosen = [found[place * len(found) // number] for place in range(number)]
    for path in chosen:
        problem = file_problem(path) or ("" if read_header(path) else "is no picture")
        if problem:
            raise ValueError(f"{path} {problem}: expected pictures, or folders of them")
    return chosen


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)


def _of_test_set(cfg: Config) -> list[Path]:
    """The first pictures in the folders of the test set."""
    found: list[Path] = []
    for dataset in datasets_of(cfg, "test_dataloader"):
        folder = image_dir(dataset)
        if folder.is_dir():
            found += _in_folder(folder)[:_NUMBER]
    return found[:_NUMBER]
