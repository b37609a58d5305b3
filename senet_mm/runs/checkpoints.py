"""Which checkpoints a run loads, and whether they can be read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.utils import get_installed_path

from ..weights.init_cfg import pretrained_of
from ..weights.read.hub import HUB
from ..weights.read.sources import check
from ..weights.read.timm_zoo import TIMM

# what distillation and tracking call teacher_ckpt and checkpoint, and a nested run load_from
_NAMES_CHECKPOINT = re.compile(r"(^|_)(checkpoint|ckpt|pretrained)$|^load_from$")


@dataclass(frozen=True)
class NamedCheckpoint:
    """A checkpoint that a config names.

    Attributes:
        source: Its name.
        initializes: Whether it is loaded only where a model is initialized, which tests do not.
        by_backbone: Whether a backbone loads it that reads checkpoints itself.
    """

    source: str
    initializes: bool = False
    by_backbone: bool = False


def check_checkpoints(cfg: Config, *, initialize: bool, resumed: str | None = None) -> None:
    """Read every checkpoint that a run will load, before the run does.

    So that a file that would run code, is damaged or is missing stops the run
    in one line. mmengine then reads its part of them in its own way.

    Args:
        cfg: The config.
        initialize: Whether the run initializes its model, as a training does.
        resumed: The checkpoint that it resumes.

    Raises:
        FileNotFoundError, ConnectionError, ImportError: If one cannot be read.
        ValueError: If it is no checkpoint, holds more than tensors and plain
            data, or has a format that mmengine does not read.
    """
    resumes = [NamedCheckpoint(resumed)] if resumed else []
    for checkpoint in [*named_checkpoints(cfg), *resumes]:
        source = checkpoint.source
        if checkpoint.initializes and not initialize:
            continue
        # mmengine hands what it loads over to our hook, but for what it initializes from
        check(source, keep=checkpoint.initializes or source.startswith((TIMM, HUB)))
        by_us = checkpoint.by_backbone or source.startswith(HUB)
        if source.endswith(".safetensors") and not by_us:
            raise ValueError(
                f"mmengine, which loads {source} here, does not read safetensors: convert it "
                f"once, senet-mm convert {shlex.quote(source)} OUT.pth"
            )


def named_checkpoints(cfg: Config) -> Iterator[NamedCheckpoint]:
    """The checkpoints that a config names anywhere, as in teachers, hooks and load_from."""
    yield from _in(cfg.get("model"))
    yield from _in({key: value for key, value in cfg.items() if key != "model"})


def _in(
    part: Any, *, initializes: bool = False, wrapped: bool = False
) -> Iterator[NamedCheckpoint]:
    """The checkpoints in a part of a config; one that an SEBackbone wraps is read by that."""
    if isinstance(part, (list, tuple)):
        for item in part:
            yield from _in(item, initializes=initializes)
    if not isinstance(part, Mapping):
        return
    itself = wrapped or _reads_own_checkpoint(part.get("type"))
    for key, value in part.items():
        if isinstance(value, str) and value and _NAMES_CHECKPOINT.search(str(key)):
            pretrained = key == "pretrained"
            yield NamedCheckpoint(value, initializes or pretrained, itself and pretrained)
        elif key == "init_cfg" and itself:
            yield from _in_own_init_cfg(value)
        elif key == "teacher_config" and isinstance(value, (str, Path)):
            yield from _in(_read_teacher_model(value))
        else:
            inner = itself and key == "backbone"
            yield from _in(value, initializes=initializes or key == "init_cfg", wrapped=inner)


def _in_own_init_cfg(init_cfg: Any) -> Iterator[NamedCheckpoint]:
    """Of a backbone that reads its checkpoint itself; mmengine loads what initializers nest."""
    pretrained = pretrained_of(init_cfg)
    for cfg in pretrained:
        yield NamedCheckpoint(cfg["checkpoint"], initializes=True, by_backbone=True)
    listed = [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg or []
    yield from _in([cfg for cfg in listed if cfg not in pretrained], initializes=True)


def _reads_own_checkpoint(kind: Any) -> bool:
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    return getattr(kind, "reads_own_checkpoint", False)


def _read_teacher_model(path: str | Path) -> Any:
    """The model of a teacher's config file, which mmdet looks for beside its package too."""
    if not Path(path).is_file():
        path = Path(get_installed_path("mmdet")).parent / path
    return Config.fromfile(path).get("model")
