"""Refuse options of a config that nothing would read, such as a misspelt key."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from ..io.near_names import nearest
from .config_file import check_shape
from .readers import arguments_of, hands_options_on, is_read, keys_of_runner, registered, registries

# what a builder takes out of a dict before it calls the type
OF_BUILDERS = frozenset({"type", "_delete_", "_scope_", "priority", "convert_to_iter_based"})
# dicts whose keys are names of the user's or go to another library
_FREE = re.compile(r"(kwargs|_args|metainfo|custom_keys|_cfg_options)$")
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
        options: Values by dotted path, as :func:`merge_options` takes them.

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
        merge_options(merged, options)
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
        if first not in keys_of_runner():
            used = _elsewhere([first], held)
            notes.append(
                f"--cfg-options {path} has no effect: {first} was used while the config file was "
                f"read, and nothing reads it later"
                + (f"; set {', '.join(used)} instead" if used else "")
            )
    return notes


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Merge values by dotted path into a config, in place.

    A path may lead through what is None, where ``Config.merge_from_dict`` alone refuses it:
    ``model.backbone.init_cfg.type`` gives a backbone weights that has ``init_cfg=None``.

    Raises:
        KeyError, TypeError: As ``Config.merge_from_dict``.
    """
    through = {f"{path}._delete_": True for path in _absent(cfg.to_dict(), options)}
    cfg.merge_from_dict(copy.deepcopy({**options, **through}))


def _absent(held: Any, options: Mapping[str, Any]) -> Iterator[str]:
    """The paths on the way to options whose value is None."""
    for path in options:
        keys, node = path.split("."), held
        for depth, key in enumerate(keys[:-1], start=1):
            if isinstance(node, Mapping) and key in node and node[key] is None:
                yield ".".join(keys[:depth])
            node = _child(node, key)


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
    if not registered(held) or registered(name):
        return
    known = {
        other
        for registry in registries()
        if registry.get(held) is not None
        for level in (registry, registry.parent)
        for other in (level.module_dict if level else ())
    }
    hint = nearest(name, sorted(known), number=_NAMED, cutoff=0.5)
    raise ValueError(f"--cfg-options {path}: type={name!r} is not registered{hint}")


def _child(node: Any, key: str) -> Any:
    if isinstance(node, (list, tuple)):
        return node[int(key)] if key.isdigit() and int(key) < len(node) else None
    return node.get(key) if isinstance(node, Mapping) else None


def _is_accepted(parents: Sequence[str], key: str, held: Mapping, after: Any) -> bool:
    if not parents:
        return key in keys_of_runner()
    taken, closed = arguments_of(after)
    if key in OF_BUILDERS or key in taken:
        return True
    if closed and difflib.get_close_matches(key, taken, cutoff=0.9):
        return False
    if hands_options_on(after) and not difflib.get_close_matches(key, taken, cutoff=0.8):
        return True
    child = _child(after, key)
    if isinstance(child, Mapping) and "type" in child:
        # a thing to build, under a name of the user's
        if list(parents) == ["default_hooks"]:
            return True
        if "type" not in held and not difflib.get_close_matches(key, held, cutoff=0.8):
            return True
    return is_read(key)


def _refusal(keys: Sequence[str], depth: int, held: Mapping, after: Any, root: Mapping) -> str:
    """The line for a key that nothing reads, with what may have been meant."""
    key, before, rest = keys[depth], keys[:depth], keys[depth + 1 :]
    known = {*held, *(arguments_of(after)[0] if before else keys_of_runner())} - {"self"}
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
