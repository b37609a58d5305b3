"""A trained detector and what its file must tell."""

from __future__ import annotations

from typing import Any

import mmdet
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from ..profiling.complexity import build_detector
from ..runs.data.class_names import named_meta
from ..version import __version__
from ..weights.load.detector import complete_weights
from ..weights.read.checkpoint import Checkpoint
from .detector import PlainDetector
from .preprocessing import resize_of
from .supported import check_supported


def load_detector(cfg: Config, checkpoint: Checkpoint) -> nn.Module:
    """Build a config's detector with the weights of a checkpoint, in eval mode, on the CPU.

    Raises:
        ValueError: If the weights are not the detector's, or it cannot be exported.
    """
    model = build_detector(cfg)
    check_supported(model)
    model.load_state_dict(complete_weights(model, checkpoint), strict=False)
    return model


def describe(
    cfg: Config,
    checkpoint: Checkpoint,
    detector: PlainDetector,
    *,
    size: tuple[int, int] | None,
) -> dict[str, Any]:
    """What the metadata of an exported file tell, as JSON has it.

    Args:
        cfg: The config.
        checkpoint: Of whose classes the labels are.
        detector: What is exported.
        size: Height and width that the file takes; None for any.
    """
    meta = named_meta(checkpoint, cfg).get("dataset_meta") or {}
    classes = {str(key).lower(): value for key, value in meta.items()}.get("classes") or ()
    test_cfg = detector.test_cfg
    preprocessor = detector.model.data_preprocessor
    return dict(
        detector=type(detector.model).__name__,
        backbone=type(detector.model.backbone).__name__,
        classes=list(classes),
        input="height, width, 3; uint8; blue, green, red",
        **resize_of(cfg),
        size=size and list(size),
        fill=_fill(preprocessor),
        nms=detector.suppress,
        score_threshold=test_cfg.score_thr,
        iou_threshold=test_cfg.nms.iou_threshold,
        max_objects=test_cfg.max_per_img,
        mask_threshold=test_cfg.get("mask_thr_binary", 0.5),
        precision=detector.precision,
        versions=dict(senet_mm=__version__, torch=torch.__version__, mmdet=mmdet.__version__),
    )


def _fill(preprocessor: Any) -> list[int]:
    """The colour, in the order of OpenCV, that becomes the value that mmdet pads with."""
    color: Any = np.full(3, preprocessor.pad_value, dtype=float)
    if hasattr(preprocessor, "mean"):
        mean, std = (value.numpy().ravel() for value in (preprocessor.mean, preprocessor.std))
        color = color * std + mean
    color = color.round().clip(0, 255).astype(int)
    return color[::-1].tolist() if preprocessor._channel_conversion else color.tolist()
