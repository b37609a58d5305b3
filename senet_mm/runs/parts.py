"""Types and options of what a run is made of, told before it reads its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    HOOKS,
    METRICS,
    MODELS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    TRANSFORMS,
    Registry,
)
from torch.utils.data import DataLoader

from ..compat.signatures import arguments_of_kind, takes_others
from ..io.near_names import nearest
from .options import OF_BUILDERS
from .readers import is_read
from .task import Task, task_of

# what mmengine's builders take beside the arguments of the class
_OF_OPTIMIZATION = frozenset({"constructor", "paramwise_cfg", "optimizer"})
_OF_LOADERS = frozenset({"num_batch_per_epoch"})
# of mmdet, which load {"checkpoint": ...} themselves
_READ_THEIR_OWN = ("PyramidVisionTransformer", "PyramidVisionTransformerV2", "SwinTransformer")
_NAMED = 3  # how many near names a message gives


def check_parts(cfg: Config, *, training: bool) -> None:
    """Check hooks, data loaders, metrics, what optimizes and what initializes: all built late.

    Args:
        cfg: The config.
        training: Whether it will be trained.

    Raises:
        ValueError: Naming a type that is not registered or an option that it does not take, where
            it stands, and the nearest.
    """
    task = task_of(cfg)
    if training:
        _check_init("model", cfg.model, task)
    for path, part, registry in _parts(cfg, training=training):
        kind = part.get("type")
        found = task.find(registry, kind) or (registry.get(kind) if isinstance(kind, str) else None)
        if found is None and registry is METRICS:  # or what computes several
            found = task.find(EVALUATOR, kind)
        own = registry.children.get(task.value)
        if found is None and own is not None:  # else the package is not imported yet
            known = sorted({*registry.module_dict, *own.module_dict})
            near = nearest(str(kind), known, number=_NAMED, cutoff=0.5)
            raise ValueError(f"{path}.type={kind!r} is not registered{near}")
        if found is not None:
            extra = _OF_OPTIMIZATION if registry is OPTIM_WRAPPERS else frozenset()
            _check_options(path, part, found, extra | OF_BUILDERS)
    for name in _loaders(training=training):
        if isinstance(cfg.get(name), Mapping):
            _check_options(name, cfg[name], DataLoader, _OF_LOADERS | OF_BUILDERS)


def _check_options(path: str, part: Mapping, kind: Any, extra: frozenset[str]) -> None:
    taken, more = arguments_of_kind(kind)
    taken = (taken | extra) - {"self"}
    # what takes others may hand them on elsewhere: then only what looks misspelt is refused
    hands_on = more or takes_others(kind)
    for name in part:
        if name in taken:
            continue
        near = nearest(name, sorted(taken), number=_NAMED, cutoff=0.8 if hands_on else 0.5)
        if not hands_on or (near and not (more and is_read(name))):
            listed = f"; it takes {', '.join(sorted(taken - OF_BUILDERS))}"
            raise ValueError(f"{path}: {kind.__name__} takes no {name!r}{near or listed}")


def _check_init(path: str, node: Any, task: Task) -> None:
    """Refuse an ``init_cfg`` without a type, anywhere in a model."""
    if isinstance(node, (list, tuple)):
        node = dict(enumerate(node))
    for key, value in node.items() if isinstance(node, Mapping) else ():
        if key != "init_cfg":
            _check_init(f"{path}.{key}", value, task)
            continue
        if getattr(task.find(MODELS, node.get("type")), "__name__", "") in _READ_THEIR_OWN:
            continue
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one and not (isinstance(one, Mapping) and one.get("type")):
                raise ValueError(
                    f"{path}.init_cfg={one!r}: expected a dict with a type, such as "
                    "dict(type='Pretrained', checkpoint=PATH)"
                )


def _parts(cfg: Config, *, training: bool) -> Iterator[tuple[str, Mapping, Registry]]:
    """What a run builds, its path, and the registry of its kind."""
    top: list[tuple[str, Registry]] = [("default_hooks", HOOKS), ("custom_hooks", HOOKS)]
    top += [("val_evaluator", METRICS)] if training else [("test_evaluator", METRICS)]
    if training:
        top += [("param_scheduler", PARAM_SCHEDULERS)]
    for name, registry in top:
        yield from _listed(name, cfg.get(name), registry)
    wrapper = cfg.get("optim_wrapper") or {}
    if training and "optimizer" in wrapper:  # else there are several, by a constructor of their own
        yield "optim_wrapper", dict(type="OptimWrapper") | dict(wrapper), OPTIM_WRAPPERS
        yield from _listed("optim_wrapper.optimizer", wrapper["optimizer"], OPTIMIZERS)
    for name in _loaders(training=training):
        loader = cfg.get(name) or {}
        for key in ("sampler", "batch_sampler"):
            yield from _listed(f"{name}.{key}", loader.get(key), DATA_SAMPLERS)
        yield from _datasets(f"{name}.dataset", loader.get("dataset"))


def _datasets(path: str, dataset: Any) -> Iterator[tuple[str, Mapping, Registry]]:
    """A data set, its transforms, and the data sets in it."""
    for at, part, registry in _listed(path, dataset, DATASETS):
        yield at, part, registry
        yield from _listed(f"{at}.pipeline", part.get("pipeline"), TRANSFORMS)
        for key in ("dataset", "datasets"):
            yield from _datasets(f"{at}.{key}", part.get(key))


def _listed(path: str, part: Any, registry: Registry) -> Iterator[tuple[str, Mapping, Registry]]:
    """The dicts with a type of one, of a list of them, or of a dict of them."""
    if isinstance(part, Mapping) and "type" in part:
        yield path, part, registry
        return
    if isinstance(part, (list, tuple)):
        part = dict(enumerate(part))
    for key, value in part.items() if isinstance(part, Mapping) else ():
        if isinstance(value, Mapping) and "type" in value:
            yield f"{path}.{key}", value, registry


def _loaders(*, training: bool) -> tuple[str, ...]:
    return ("train_dataloader", "val_dataloader") if training else ("test_dataloader",)
