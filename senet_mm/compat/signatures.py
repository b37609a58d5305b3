"""Which arguments a class or a function takes, by their names."""

from __future__ import annotations

import inspect
from typing import Any


def arguments_of_kind(kind: Any) -> tuple[set[str], bool]:
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


def takes_others(kind: Any) -> bool:
    """Whether a callable itself has ``**kwargs``."""
    return _named(kind.__init__ if inspect.isclass(kind) else kind)[1]


def _named(function: Any) -> tuple[list[str], bool]:
    """The named parameters of a function, and whether it takes others too."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of C
        return [], True
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)
