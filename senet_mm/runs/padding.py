"""The padding of batches: whether SE can tell it from pictures, and how much of it there was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from ..layers import SEBlock
from .config_file import preprocessor_of

_MUCH = 0.05  # of the pixels


def check_padding(cfg: Config) -> None:
    """Check that SE with ``padding='mask'`` or ``'exact'`` can tell padding from pictures.

    It finds padding as zeros behind the last pixel that is none, so what is padded with must be
    zero, and a pixel must not.

    Raises:
        ValueError: Naming what the data preprocessor does otherwise, or the neck whose backbone
            hands no sizes on.
    """
    model = cfg.model
    modes = sorted(set(_modes(model)))
    if not modes:
        return
    asked = f"SE with padding={modes[0]!r}"
    own = preprocessor_of(cfg)
    preprocessor = own.get("data_preprocessor") or own  # one for several branches has it inside
    for path, options in (("", preprocessor), *_augments(preprocessor)):
        for key in ("pad_value", "pad_val", "img_pad_value"):
            if options.get(key):
                raise ValueError(
                    f"model.data_preprocessor.{path}{key}={options[key]}: {asked} finds padding "
                    "by its zeros: expected 0"
                )
    mean = preprocessor.get("mean") or (0, 0, 0)
    if all(float(value).is_integer() for value in mean):
        raise ValueError(
            f"model.data_preprocessor.mean={preprocessor.get('mean')}: {asked} takes a border of "
            "exactly that colour for padding: expected a mean that no pixel has, such as "
            f"{[value + 0.001 for value in mean]}"
        )
    backbone = model.get("backbone") or {}
    if list(_modes(model.get("neck"))) and not _tells(backbone):
        raise ValueError(
            f"model.neck has {asked}, but model.backbone, a {backbone.get('type')}, tells no "
            "sizes: expected se_cfg padding='mask' there too, or "
            "dict(type='SEBackbone', backbone=dict(...), units=[]) around it"
        )


class PaddingShare:
    """How much of what a test ran on was padding.

    Register :meth:`hook` with the runner before the test.
    """

    def __init__(self, model: nn.Module) -> None:
        self._minds = any(
            isinstance(module, SEBlock) and module.pools and not module.minds_padding
            for module in model.modules()
        )
        self._pixels = torch.zeros(2, dtype=torch.float64)  # of pictures, of batches

    def hook(self) -> Hook:
        """What counts, for the runner."""
        return _CountHook(self._pixels)

    @property
    def share(self) -> float:
        """Of the pixels of all processes; 0 where nothing was counted."""
        of_pictures, of_batches = self._pixels.tolist()
        return 1 - of_pictures / of_batches if of_batches else 0.0

    def note(self) -> str | None:
        """A sentence, if it was much and SE squeezed it."""
        if not self._minds or self.share <= _MUCH:
            return None
        return (
            f"{self.share:.0%} of the pixels were padding, which SE with padding='ignore' squeezes "
            "too: a picture's scores depend on its batch (test_dataloader.batch_size=1 pads least; "
            "see docs/padding.md)"
        )


class _CountHook(Hook):
    def __init__(self, pixels: torch.Tensor) -> None:
        self._pixels = pixels

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        for sample in outputs or ():
            shape, padded = (sample.get(key) for key in ("img_shape", "batch_input_shape"))
            if shape is not None and padded is not None:
                sides = torch.tensor([shape[:2], padded], dtype=torch.float64)
                self._pixels += sides.prod(1)

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        total = self._pixels.clone()
        all_reduce(total)
        self._pixels.copy_(total)


def _modes(node: Any) -> Iterator[str]:
    """Every way but 'ignore' that SE in a part of a config has of padding."""
    if isinstance(node, Mapping):
        if node.get("padding") in ("mask", "exact"):
            yield node["padding"]
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _modes(child)


def _tells(backbone: Mapping[str, Any]) -> bool:
    around = str(backbone.get("type")).endswith("SEBackbone") and not backbone.get("units")
    return around or bool(list(_modes(backbone)))


def _augments(preprocessor: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    augments = preprocessor.get("batch_augments") or []
    return [(f"batch_augments.{index}.", options) for index, options in enumerate(augments)]
