"""Build timm's feature nets, find the ends of their stages, or say why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from ..io.near_names import nearest
from ..weights.read.timm_zoo import import_timm

_DEFAULT_MAPS = 4  # an FPN's
_STEM_STRIDE = 2
_SAID_HERE = {
    "pretrained": "init_cfg=dict(type='Pretrained', checkpoint='timm://NAME') loads weights",
    "checkpoint_path": "init_cfg=dict(type='Pretrained', checkpoint=PATH) loads weights",
    "features_only": "it is always so",
    "num_classes": "a backbone has no classifier",
}


def create_net(
    model_name: str, out_indices: Sequence[int] | None, options: Mapping[str, Any]
) -> Any:
    """Build a net that gives feature maps, as ``timm.create_model(..., features_only=True)`` does.

    Args:
        model_name: timm's name of it, with or without that of its weights.
        out_indices: Which of its maps; None for the last four, or timm's choice of fewer.
        options: What timm's constructor of the net takes besides.

    Raises:
        ImportError: If timm is missing.
        ValueError: If timm has no such net, it has no feature maps or not these, or
            timm does not take an option.
    """
    timm = import_timm("TimmBackbone's networks")
    start = f"TimmBackbone model_name={model_name!r}"
    if not isinstance(model_name, str) or not timm.is_model(model_name):
        near = nearest(str(model_name), timm.list_models())
        raise ValueError(f"{start}: timm {timm.__version__} has no such network{near}")
    for name in _SAID_HERE.keys() & options.keys():
        raise ValueError(f"{start}: leave out {name}={options[name]!r}: {_SAID_HERE[name]}")
    if out_indices is not None and not _is_increasing(out_indices):
        raise ValueError(
            f"TimmBackbone out_indices={out_indices!r}: expected numbers of maps, in their order, "
            "such as [1, 2, 3, 4]"
        )
    create = partial(timm.create_model, model_name, **options)
    try:
        if out_indices is not None:
            return create(features_only=True, out_indices=tuple(out_indices))
        try:
            return create(features_only=True, out_indices=_DEFAULT_MAPS)
        except (IndexError, AssertionError):  # it has fewer
            return create(features_only=True)
    except Exception as error:  # whatever timm's nets raise
        raise ValueError(f"{start}: {_reason(create, out_indices, error)}") from error


def _is_increasing(indices: object) -> bool:
    return (
        isinstance(indices, (list, tuple))
        and len(indices) > 0
        and all(type(index) is int for index in indices)
        and list(indices) == sorted(set(indices))
    )


def _reason(create: partial[Any], out_indices: Sequence[int] | None, error: Exception) -> str:
    """Why timm did not build a net: which part of the request it builds without."""
    said = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    try:
        create()
    except Exception:
        return f"timm does not build it with {_in_words(create.keywords)} ({said})"
    try:
        maps = create(features_only=True).feature_info.info
    except Exception:
        return f"this network has no feature maps, which a detector needs (timm: {said})"
    known = ", ".join(f"{i} (stride {m['reduction']})" for i, m in enumerate(maps))
    return f"out_indices={out_indices} cannot be had (timm: {said}); its maps are {known}"


def _in_words(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "its defaults"


class Stages:
    """Which modules of a feature net are its stem and its stages.

    Each of timm's maps of stride 4 or more ends a stage. The stem ends with the last map of a
    smaller stride (``act1`` of a ResNet), or where there is none, in front of the module that
    makes the first map (``patch_embed`` is the stem of a Swin Transformer). Modules are taken to
    run in the order in which they are registered, as timm itself does.

    Args:
        net: A feature net of timm's.

    Attributes:
        count: The number of stages of the whole network.
        is_cut: Whether the network's last map does not come out; what makes it may be missing.
    """

    def __init__(self, net: Any) -> None:
        self._net = net
        info = net.feature_info
        self._taps = [tap["module"] for tap in info.info]
        self._stem = sum(tap["reduction"] <= _STEM_STRIDE for tap in info.info)
        self._last = max(index % len(self._taps) for index in info.out_indices)
        self.count = len(self._taps) - self._stem
        self.is_cut = self._last < len(self._taps) - 1

    def until(self, stage: int) -> list[nn.Module]:
        """The modules of the stem and of the first stages, and those that they are in.

        Args:
            stage: 0 for the stem alone, n for the stem and n stages.

        Raises:
            ValueError: If timm does not tell where the stem or a stage ends.
        """
        names, modules = zip(*self._net.named_modules(), strict=True)
        tap = self._stem + stage - 1
        if tap >= self._last:  # what comes after it makes no map
            return list(modules)
        end = _last_of(names, self._taps[tap]) if tap >= 0 else _first_of(names, self._taps[0]) - 1
        return list(modules[: end + 1])


def _first_of(names: Sequence[str], tap: str) -> int:
    """Where the module that makes a map stands among all."""
    # timm folds sequences into its feature nets: features.0 is features_0 there
    for name in (tap, tap.replace(".", "_", 1)):
        for wrapper in ("", "body.", "model."):
            if tap and wrapper + name in names:
                return names.index(wrapper + name)
    raise ValueError(f"frozen_stages: timm does not tell where its {tap!r} ends; take -1")


def _last_of(names: Sequence[str], tap: str) -> int:
    """The last module below a tap."""
    first = _first_of(names, tap)
    below = f"{names[first]}."
    return first + sum(name.startswith(below) for name in names)
