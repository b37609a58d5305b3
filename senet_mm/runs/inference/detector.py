"""A detector with checked weights that takes pictures as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmdet.apis import DetInferencer
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import nn

from ...weights.load.detector import complete_weights, unwrapped
from ...weights.read.checkpoint import Checkpoint
from ..data.class_names import listed, named_meta, nearest
from ..data.datasets import datasets_of


class Detector(DetInferencer):
    """mmdet's inferencer, with tensors that were read and checked before.

    Args:
        cfg: The config.
        checkpoint: Its weights, and the names of its classes.
        device: As torch names it; None takes CUDA where there is one.
        classes: Keep the detections of these alone; None keeps all.

    Raises:
        ValueError: If the weights are not the config's, it has no test pipeline, or a class is
            unknown.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: Checkpoint,
        device: str | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        visualizer = {"type": "DetLocalVisualizer", **(cfg.get("visualizer") or {})}
        cfg.visualizer = {**visualizer, "vis_backends": None}  # drawings go to our files alone
        super().__init__(cfg, None, device, palette="random")
        self._kept = None if classes is None else self._labels_of(classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its labels."""
        return tuple(self.model.dataset_meta["classes"])

    def load(self, image: np.ndarray) -> dict[str, Any]:
        """What the test pipeline makes of a picture, as it loads pictures."""
        return self.pipeline(image.copy())

    def detect(self, loaded: Sequence[dict[str, Any]]) -> list[DetDataSample]:
        """The detections of a batch of what :meth:`load` returns, each in the picture's pixels."""
        samples = self.forward(self.collate_fn(loaded))
        if self._kept is not None:
            for sample in samples:
                found = sample.pred_instances
                is_kept = torch.isin(found.labels, self._kept.to(found.labels))
                sample.pred_instances = found[is_kept]
        return samples

    def _labels_of(self, classes: Sequence[str]) -> torch.Tensor:
        for name in classes:
            if name not in self.classes:
                raise ValueError(
                    f"--classes {name}: the detector knows {listed(self.classes)}"
                    f"{nearest(name, self.classes)}"
                )
        return torch.tensor([self.classes.index(name) for name in classes])

    def _load_weights_to_model(self, model: nn.Module, checkpoint: None, cfg: Config) -> None:
        net = unwrapped(model)
        weights = complete_weights(net, self._checkpoint)
        content = {"state_dict": weights, "meta": named_meta(self._checkpoint, cfg)}
        super()._load_weights_to_model(net, content, cfg)
        model.dataset_meta = net.dataset_meta

    def _init_pipeline(self, cfg: Config) -> Compose:
        """As mmdet's, of a data set inside wrappers too."""
        dataset = next(datasets_of(cfg, "test_dataloader"), None)
        if dataset is None or not dataset.get("pipeline"):
            raise ValueError(
                "test_dataloader.dataset.pipeline is missing, which tells how pictures come to "
                "the detector: use the config that was saved with the checkpoint"
            )
        cfg.test_dataloader.dataset = dataset
        return super()._init_pipeline(cfg)
