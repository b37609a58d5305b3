"""Drawings of a classifier's test: each image with its right and its predicted class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import VISUALIZERS
from mmengine.runner import Runner

from .image_names import below, image_folders

_SIDE = 224  # pixels of the shorter side below which text would hide the image
_SUFFIXES = (".jpg", ".jpeg", ".png")


class DrawClassesHook(Hook):
    """Draw what a classifier says, by mmpretrain's visualizer.

    mmpretrain's own hook draws one image of many, and knows them by their file name alone, which
    images of two classes may share.

    Args:
        out_dir: Where drawings go, in the subfolders of the image folder.
    """

    def __init__(self, out_dir: str) -> None:
        self._out_dir = Path(out_dir)
        self._visualizer: Any = None

    def before_test(self, runner: Runner) -> None:
        """Make what draws."""
        self._visualizer = VISUALIZERS.build(
            dict(type="mmpretrain.UniversalVisualizer", name=f"drawings of {id(self)}")
        )
        self._visualizer.dataset_meta = runner.test_evaluator.dataset_meta

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw a batch; of augmented images the first."""
        inputs = data_batch["inputs"]
        images = inputs[0] if isinstance(inputs[0], (list, tuple)) else inputs
        folders = [*image_folders(runner.test_dataloader.dataset)]
        for image, sample in zip(images, outputs, strict=True):
            pixels = image.permute(1, 2, 0).cpu().numpy().astype(np.uint8)
            path = sample.get("img_path")
            place = below(Path(path), folders) if path else Path(f"{sample.sample_idx}.png")
            if place.suffix.lower() not in _SUFFIXES:
                place = place.with_name(f"{place.name}.png")
            self._visualizer.visualize_cls(
                pixels[..., ::-1],  # pipelines read BGR
                sample,
                resize=_SIDE if min(pixels.shape[:2]) < _SIDE else None,
                out_file=str(self._out_dir / place),
            )


def draw_classes_into(cfg: Config, folder: str) -> None:
    """Have a test of a classifier draw each image into a folder, in place."""
    # by its place, not by a registered name, so that a saved config finds it too
    kind = f"{DrawClassesHook.__module__}.{DrawClassesHook.__name__}"
    hook = dict(type=kind, out_dir=str(Path(folder).resolve()))
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), hook]
