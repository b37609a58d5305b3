"""Drawings of a test, each picture in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.engine.hooks import DetVisualizationHook
from mmengine.config import Config
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from .image_names import below, image_folders


@HOOKS.register_module()
class DrawHook(DetVisualizationHook):
    """mmdet's hook, but drawings go where the user says, and none replaces another.

    mmdet's puts a relative folder below the work dir's log, in a deeper one with every batch, and
    knows pictures by their file name alone. Here the subfolders of the image folder are kept, and
    a picture of another data set whose place is taken goes to the folder ``2`` beside it.
    """

    test_out_dir: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drawn: dict[Path, list[str]] = {}
        self._root = Path(self.test_out_dir or "drawings").resolve()

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Any
    ) -> None:
        """Draw a batch."""
        self._visualizer = runner.visualizer  # mmdet's takes the one that was made last
        folders = [*image_folders(runner.test_dataloader.dataset)]
        for sample in outputs:
            place = below(Path(sample.img_path), folders)
            same = self._drawn.setdefault(place, [])
            if sample.img_path not in same:
                same.append(sample.img_path)
            number = same.index(sample.img_path)
            root = self._root / str(number + 1) if number else self._root
            # an absolute path stays as it is when mmdet joins it to its own
            self.test_out_dir = str(root / place.parent)
            super().after_test_iter(runner, batch_idx, data_batch, [sample])


def draw_into(cfg: Config, folder: str) -> None:
    """Have a test draw predictions beside ground truth into a folder, in place.

    Raises:
        ValueError: If the config has no hook that draws.
    """
    hook = cfg.default_hooks.get("visualization")
    if not hook:
        raise ValueError(
            "--show-dir: the config has no default_hooks.visualization: add "
            "visualization=dict(type='DetVisualizationHook') there"
        )
    hook.draw, hook.show, hook.test_out_dir = True, False, str(Path(folder).resolve())
    if str(hook.type).rpartition(".")[2].removesuffix("'>") == DetVisualizationHook.__name__:
        hook.type = f"mmengine.{DrawHook.__name__}"
