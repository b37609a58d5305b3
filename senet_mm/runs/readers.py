"""Who reads a key of a config: arguments of what it builds, and code that names the key."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.registry import Registry
from mmengine.runner import Runner

from ..compat.signatures import arguments_of_kind
from .task import Task

# where a key that nobody lists may be read
_READERS = ("mmengine", "mmcv", "senet_mm", *(task.value for task in Task))


@functools.lru_cache(maxsize=1)
def keys_of_runner() -> frozenset[str]:
    """The keys that mmengine's runner and the reader of configs look up in a config."""
    asked = re.findall(r"\bcfg\.get\(\s*['\"](\w+)['\"]", inspect.getsource(Runner))
    parameters = [*inspect.signature(Runner.__init__).parameters][1:]
    return frozenset({*asked, *parameters, "runner_type", "auto_scale_lr"} - {"cfg"})


def arguments_of(node: Any) -> tuple[set[str], bool]:
    """The arguments of what a dict names by ``type``, and whether it surely takes no other."""
    signatures = [arguments_of_kind(found) for found in _kinds(node)]
    names = {name for taken, _ in signatures for name in taken}
    return names, bool(signatures) and not any(more for _, more in signatures)


def hands_options_on(node: Any) -> bool:
    """Whether what a dict names by ``type`` gives what it does not know to another library."""
    return any(getattr(kind, "hands_options_on", False) for kind in _kinds(node))


def _kinds(node: Any) -> list[Any]:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if callable(kind):
        return [kind]
    return registered(str(kind)) if kind else []


def registries() -> list[Registry]:
    """The registries of the packages that do a task, as far as they are imported."""
    modules = [sys.modules.get(f"{task.value}.registry") for task in Task]
    named = [value for module in modules if module for value in vars(module).values()]
    return [value for value in named if isinstance(value, Registry)]


def registered(name: str) -> list[Any]:
    """What any registry has under a name; a name may be in several."""
    return _registered(name, tuple(registries()))


@functools.lru_cache(maxsize=256)
def _registered(name: str, among: tuple[Registry, ...]) -> list[Any]:
    found: list[Any] = []
    for registry in among:
        try:
            kind = registry.get(name)
        except Exception:  # a scope or module that cannot be imported is named by the build
            kind = None
        if kind is not None and kind not in found:
            found.append(kind)
    return found


@functools.lru_cache(maxsize=1024)
def is_read(key: str) -> bool:
    """Whether a word stands as a key, an argument or an attribute in code that may read it."""
    word = re.escape(key)
    reading = re.compile(rf"['\"]{word}['\"]|\.{word}\b|\b{word}\s*[=:,)]")
    return any(reading.search(text) for text in _code() if key in text)


def _packages() -> set[str]:
    """The libraries, and packages of the user's that registered something."""
    kinds = [
        kind
        for registry in registries()
        for level in (registry, registry.parent)
        for kind in (level.module_dict.values() if level else ())
    ]
    return {*_READERS, *(str(kind.__module__).split(".")[0] for kind in kinds)}


@functools.lru_cache(maxsize=1)
def _code() -> tuple[str, ...]:
    """The source of all that may read a config."""
    files: set[Path] = set()
    for name in _packages() - {"torch", "torchvision"}:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        path = Path(file)
        if path.name == "__init__.py":
            files.update(path.parent.rglob("*.py"))
        elif path.suffix == ".py":
            files.add(path)
    return tuple(path.read_text(encoding="utf-8", errors="replace") for path in sorted(files))
