"""Refuse options of a config that nothing would read, such as a misspelt key."""

from __future__ import annotations

import copy
import difflib
import functools
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mmdet.registry
from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import Runner

from .config_file import check_shape

# what a builder takes out of a dict before it calls the type
_OF_BUILDERS = frozenset({"type", "_delete_", "_scope_", "priority", "convert_to_iter_based"})
# dicts whose keys are names of the user's or go to another library
_FREE = re.compile(r"(kwargs|_args|metainfo|custom_keys|_cfg_options)$")
# where a key that nobody lists may be read
_READERS = ("mmdet", "mmengine", "mmcv", "senet_mm")
_TEXTS = frozenset({"type", "ann_file", "data_root", "checkpoint", "work_dir", "load_from"})
_NAMED = 3  # how many near names a message gives


def check_options(cfg: Config, options: Mapping[str, Any]) -> list[str]:
    """Check that each option of ``--cfg-options`` reaches something that reads it.

    A key is accepted if the config holds it, if the class that its dict names by ``type`` takes
    it (by the signatures along its bases), or if it stands as a key, an argument or an attribute
    in the code of mmdet, mmengine, mmcv, this package or a module of the user's that the config
    imports. What is accepted and wrong all the same is refused when the config is built.

    Args:
        cfg: The config before the options are merged into it.
        options: Values by dotted path, as ``Config.merge_from_dict`` takes them.

    Returns:
        What a user should know of options that are accepted but have no effect.

    Raises:
        ValueError: Naming the first path that nothing would read, and the nearest ones.
    """
    if not options:
        return []
    for path in options:
        if not all(path.split(".")):
            raise ValueError(f"--cfg-options {path}: expected key.subkey=value")
    held = cfg.to_dict()
    try:
        merged = Config(copy.deepcopy(held))
        merged.merge_from_dict(copy.deepcopy(dict(options)))
        after = merged.to_dict()
    except (KeyError, TypeError, AttributeError, IndexError):
        after = held  # what cannot be merged is named below
    for path, value in options.items():
        _check_path(path.split("."), held, after)
        _check_value(path, value, held)
    check_shape(after)
    notes = []
    for path in options:
        first = path.split(".")[0]
        if first not in _of_runner():
            used = _elsewhere([first], held)
            notes.append(
                f"--cfg-options {path} has no effect: {first} was used while the config file was "
                f"read, and nothing reads it later"
                + (f"; set {', '.join(used)} instead" if used else "")
            )
    return notes


def _check_path(keys: Sequence[str], held: Any, after: Any) -> None:
    """Follow a path through the config, as it is held and as it will be."""
    root, free = held, False
    for depth, key in enumerate(keys):
        before = ".".join(keys[:depth])
        if isinstance(held, (list, tuple)):
            if not key.isdigit() or int(key) >= len(held):
                raise ValueError(
                    f"--cfg-options {'.'.join(keys)}: {before} is a list of {len(held)}; expected "
                    f"an index from 0 to {len(held) - 1} in place of {key}"
                )
            held, after = held[int(key)], _child(after, key)
            continue
        if held is not None and not isinstance(held, Mapping):
            raise ValueError(
                f"--cfg-options {'.'.join(keys)}: {before} is {held!r}, which has no {key}"
            )
        known = held or {}
        free = free or (depth > 0 and _FREE.search(keys[depth - 1]) is not None)
        if key not in known and not free and not _is_accepted(keys[:depth], key, known, after):
            raise ValueError(_refusal(keys, depth, known, after, root))
        held, after = known.get(key), _child(after, key)


def _check_value(path: str, value: Any, held: Any) -> None:
    """Refuse a value in the place of settings, of text, or of a registered type."""
    keys = path.split(".")
    for key in keys:
        held = _child(held, key)
    if isinstance(held, Mapping) and not (value is None or isinstance(value, Mapping)):
        raise ValueError(
            f"--cfg-options {path}={value}: {path} holds settings; expected {path}.KEY=VALUE, or "
            f"None to leave it out"
        )
    is_text = keys[-1] in _TEXTS or "data_prefix" in keys[:-1]
    if is_text and not isinstance(value, str) and (value is not None or isinstance(held, str)):
        raise ValueError(f"--cfg-options {path}={value}: expected a name or a path")
    # a name with a scope may be of a package that is imported when it is built
    if keys[-1] == "type" and isinstance(value, str) and isinstance(held, str) and "." not in value:
        _check_type(path, value, held)


def _check_type(path: str, name: str, held: str) -> None:
    """Refuse a type that is not registered in the place of one that is."""
    if not _registered(held) or _registered(name):
        return
    known = {
        other
        for registry in _registries()
        if registry.get(held) is not None
        for level in (registry, registry.parent)
        for other in (level.module_dict if level else ())
    }
    near = difflib.get_close_matches(name, sorted(known), n=_NAMED, cutoff=0.5)
    hint = f"; the nearest are {', '.join(near)}" if near else ""
    raise ValueError(f"--cfg-options {path}: type={name!r} is not registered{hint}")


def _child(node: Any, key: str) -> Any:
    if isinstance(node, (list, tuple)):
        return node[int(key)] if int(key) < len(node) else None
    return node.get(key) if isinstance(node, Mapping) else None


def _is_accepted(parents: Sequence[str], key: str, held: Mapping, after: Any) -> bool:
    if not parents:
        return key in _of_runner()
    taken, closed = _taken(after)
    if key in _OF_BUILDERS or key in taken:
        return True
    if closed and difflib.get_close_matches(key, taken, cutoff=0.9):
        return False
    child = _child(after, key)
    if isinstance(child, Mapping) and "type" in child:
        # a thing to build, under a name of the user's
        if list(parents) == ["default_hooks"]:
            return True
        if "type" not in held and not difflib.get_close_matches(key, held, cutoff=0.8):
            return True
    return _is_read(key)


def _refusal(keys: Sequence[str], depth: int, held: Mapping, after: Any, root: Mapping) -> str:
    """The line for a key that nothing reads, with what may have been meant."""
    key, before, rest = keys[depth], keys[:depth], keys[depth + 1 :]
    known = {*held, *(_taken(after)[0] if before else _of_runner())} - {"self"}
    near = difflib.get_close_matches(key, sorted(map(str, known)), n=_NAMED, cutoff=0.6)
    meant = [".".join([*before, name, *rest]) for name in near]
    meant = meant or _elsewhere(keys[depth:], root)
    if meant:
        hint = f"; did you mean {' or '.join(meant)}?"
    elif known:
        place = f"{'.'.join(before)} takes" if before else "a config's top level takes"
        hint = f"; {place} {', '.join(sorted(map(str, known)))}"
    else:
        hint = ""
    return f"--cfg-options {'.'.join(keys)}: nothing reads {'.'.join([*before, key])}{hint}"


def _elsewhere(tail: Sequence[str], root: Mapping) -> list[str]:
    """Longer paths of a config that end like this one."""
    tail, length = list(tail), len(tail)
    found = [path for path in _paths(root) if len(path) > length and path[-length:] == tail]
    return [".".join(path) for path in found[:_NAMED]]


def _paths(node: Any, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Every path in a config."""
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(node, Mapping):
        items = iter(node.items())
    elif isinstance(node, (list, tuple)):
        items = iter(enumerate(node))
    for key, value in items:
        yield [*path, str(key)]
        yield from _paths(value, (*path, str(key)))


@functools.lru_cache(maxsize=1)
def _of_runner() -> frozenset[str]:
    """The keys that mmengine's runner and the reader of configs look up in a config."""
    asked = re.findall(r"\bcfg\.get\(\s*['\"](\w+)['\"]", inspect.getsource(Runner))
    parameters = [*inspect.signature(Runner.__init__).parameters][1:]
    return frozenset({*asked, *parameters, "runner_type", "auto_scale_lr"} - {"cfg"})


def _taken(node: Any) -> tuple[set[str], bool]:
    """The arguments of what a dict names by ``type``, and whether it surely takes no other."""
    kind = node.get("type") if isinstance(node, Mapping) else None
    kinds = [kind] if callable(kind) else _registered(str(kind)) if kind else []
    signatures = [_arguments(found) for found in kinds]
    names = {name for taken, _ in signatures for name in taken}
    return names, bool(kinds) and not any(more for _, more in signatures)


def _registries() -> list[Registry]:
    return [value for value in vars(mmdet.registry).values() if isinstance(value, Registry)]


@functools.lru_cache(maxsize=256)
def _registered(name: str) -> list[Any]:
    """What any registry has under a name; a name may be in several."""
    found: list[Any] = []
    for registry in _registries():
        try:
            kind = registry.get(name)
        except Exception:  # a scope or module that cannot be imported is named by the build
            kind = None
        if kind is not None and kind not in found:
            found.append(kind)
    return found


def _arguments(kind: Any) -> tuple[set[str], bool]:
    """Names that a callable takes, and whether it takes others.

    Of a class, along its bases while they hand ``**kwargs`` on.
    """
    parents = [parent for parent in kind.__mro__] if inspect.isclass(kind) else []
    functions = [vars(parent)["__init__"] for parent in parents if "__init__" in vars(parent)]
    names, more = set(), True
    for function in functions or [kind]:
        named, more = _named(function)
        names.update(named)
        if not more:
            break
    return names, more


def _named(function: Any) -> tuple[list[str], bool]:
    """The named parameters of a function, and whether it takes others too."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C
        return [], True
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)


@functools.lru_cache(maxsize=1024)
def _is_read(key: str) -> bool:
    """Whether a word stands as a key, an argument or an attribute in code that may read it."""
    word = re.escape(key)
    reading = re.compile(rf"['\"]{word}['\"]|\.{word}\b|\b{word}\s*[=:,)]")
    return any(reading.search(text) for text in _code() if key in text)


def _packages() -> set[str]:
    """The libraries, and packages of the user's that registered something."""
    kinds = [
        kind
        for registry in _registries()
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
