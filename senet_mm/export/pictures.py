"""Pictures on which an exported file is checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

from ..runs.data.datasets import datasets_of, image_dir
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
        picture = cv2.imread(str(path))
        if picture is None:
            raise ValueError(f"{path} is missing, or no picture that OpenCV reads")
        yield picture
    for seed in range(0 if paths else _GENERATED):
        rng = np.random.default_rng(seed)
        yield render_scene(rng, height=480, width=640, num_objects=8, light=LIGHTS[0]).image


def _of_test_set(cfg: Config) -> list[Path]:
    """The first pictures in the folders of the test set."""
    found: list[Path] = []
    for dataset in datasets_of(cfg, "test_dataloader"):
        folder = image_dir(dataset)
        if folder.is_dir():
            found += sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)[:_NUMBER]
    return found[:_NUMBER]
