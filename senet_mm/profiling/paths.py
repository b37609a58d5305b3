"""Which path each residual unit with SE takes, and why no faster one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.config import Config
from torch import Tensor, nn

from ..io.tables import markdown
from ..layers import SEResidualMixin
from ..layers.fast_path import Choice, choose
from .classifier import image_size
from .complexity import build_backbone


def unit_paths(backbone: nn.Module, image: Tensor) -> dict[str, Choice]:
    """What the units of a backbone choose in a pass, in its mode of training or inference.

    Args:
        backbone: Any backbone.
        image: Of shape (N, 3, H, W); paths depend on sizes, types and the device.

    Returns:
        The choice by the unit's name; units without SE are left out.
    """
    choices: dict[str, Choice] = {}

    def ask(unit: SEResidualMixin, inputs: tuple[Tensor, ...], name: str) -> None:
        (x,) = inputs
        shortcut = x if unit.downsample is None else unit.downsample(x)
        choices[name] = choose(unit.tail(), unit.first(x), shortcut)

    hooks = [
        unit.register_forward_pre_hook(lambda unit, inputs, name=name: ask(unit, inputs, name))
        for name, unit in backbone.named_modules()
        if isinstance(unit, SEResidualMixin) and unit.se is not None
    ]
    backbone(image)
    for hook in hooks:
        hook.remove()
    return choices


def paths_table(configs: Mapping[str, Config], size: tuple[int, int] | None = None) -> str:
    """A Markdown table of the paths in inference and training, on the CPU.

    Args:
        configs: Configs by their path.
        size: Height and width of the image, in pixels; by default a classification config's own,
            and else 224 x 224.
    """
    rows = [["", "unit", "inference", "why", "training", "why"], ["---"] * 6]
    for path, cfg in configs.items():
        backbone = build_backbone(cfg)
        # batch norm in training refuses a single value per channel
        images = torch.randn(2, 3, *(size or image_size(cfg)))
        with torch.no_grad():
            inference = unit_paths(backbone, images)
        backbone.train()
        training = unit_paths(backbone, images)
        for name, choice in inference.items():
            cells = [
                cell for one in (choice, training[name]) for cell in (one.path.name, one.reason)
            ]
            rows.append([path, name, *cells])
            path = ""
        if not inference:
            rows.append([path, "no residual unit with SE", *[""] * 4])
    return markdown(rows)
