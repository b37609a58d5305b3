"""Parameters and multiply-adds of a detector."""

from __future__ import annotations

import copy
import math

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def build_detector(cfg: Config) -> nn.Module:
    """Build the model of a config on the CPU, in eval mode, with no weights loaded."""
    with DefaultScope.overwrite_default_scope("mmdet"):
        model = MODELS.build(copy.deepcopy(cfg.model))
    # not chained: eval() of mmdet's modules may return None
    model.eval()
    return model


def count_parameters(model: nn.Module) -> int:
    """Number of parameters, frozen ones included."""
    return sum(parameter.numel() for parameter in model.parameters())


def input_size(cfg: Config) -> tuple[int, int]:
    """Height and width in pixels of a full-sized, padded landscape test image of a config."""
    resize = next(step for step in cfg.test_dataloader.dataset.pipeline if "Resize" in step["type"])
    divisor = cfg.model.data_preprocessor.get("pad_size_divisor", 1)
    height, width = (divisor * math.ceil(side / divisor) for side in sorted(resize["scale"]))
    return height, width


@torch.no_grad()
def count_multiply_adds(model: nn.Module, size: tuple[int, int]) -> int:
    """Multiply-adds of one image through a detector (what papers call FLOPs).

    Convolutions and matrix products count; pooling, gates and other
    element-wise work does not.

    Args:
        model: A detector in eval mode.
        size: Height and width of the padded image, in pixels.
    """
    sample = DetDataSample(
        metainfo=dict(
            img_shape=size,
            ori_shape=size,
            pad_shape=size,
            batch_input_shape=size,
            scale_factor=(1, 1),
        )
    )
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, *size), [sample], mode="predict")
    return counter.get_total_flops() // 2
