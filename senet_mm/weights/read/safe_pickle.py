"""A pickle module for :func:`torch.load` that reads tensors and plain data, and runs nothing.

What a pickle names is never imported: tensors are made here, containers are plain ones, and other
data that checkpoints are known to carry (numpy's, mmengine's records) become :class:`Opaque`, which
keeps nothing. All that a pickle can reach ignores the state that it would set (``__setstate__``),
so that it cannot change a class or a function either.

``torch.load(weights_only=True)`` cannot be told of these by the oldest torch supported here.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable
from typing import IO, Any

import torch
from torch import Tensor


class UnsafePickleError(pickle.UnpicklingError):
    """A pickle names a class or function that is not known to be harmless."""


class UnsupportedError(pickle.UnpicklingError):
    """A checkpoint has a form that is not read here."""


class Opaque:
    """What a checkpoint has beside tensors and plain data: made of anything, holds nothing."""

    __slots__ = ()

    def __new__(cls, *ignored: object, **options: object) -> Opaque:
        return super().__new__(cls)

    def __setstate__(*ignored: object) -> None:
        """Take no state, neither as an object nor as a class."""


class _Dict(dict):
    """An OrderedDict or Counter without attributes that a pickle could set."""

    __slots__ = ()

    def __setstate__(*ignored: object) -> None:
        """Take no state, neither as an object nor as a class."""


class _Call:
    """A function without attributes that a pickle could set."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)

    def __setstate__(self, state: object) -> None:
        """Take no state."""


def _tensor(
    storage: torch.storage.TypedStorage,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: object = None,
    hooks: object = None,
    views: object = None,
) -> Tensor:
    if not isinstance(storage, torch.storage.TypedStorage):
        raise pickle.UnpicklingError(f"a tensor is made of a {type(storage).__name__}")
    if views:  # values that are conjugated or negated when they are read
        raise UnsupportedError("it holds a tensor that is a conjugate or negative view")
    return torch._utils._rebuild_tensor(storage, offset, size, stride)


def _parameter(data: Tensor, *ignored: object) -> Tensor:
    if not isinstance(data, Tensor):
        raise pickle.UnpicklingError(f"a parameter is made of a {type(data).__name__}")
    return data


def _statistic(owner: object, name: str) -> Opaque:
    """``getattr``, for the one use that mmengine's checkpoints make of it."""
    if name not in ("mean", "min", "max", "current"):
        raise UnsafePickleError(f"builtins.getattr(..., {name!r})")
    return Opaque()


def _encode(text: str, encoding: str) -> bytes:
    """How protocol 2 writes bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError(f"_codecs.encode(..., {encoding!r})")
    return text.encode("latin1")


_PLAIN = (bool, bytearray, complex, dict, float, frozenset, int, list, set, str, tuple)
_CLASSES = {("builtins", kind.__name__): kind for kind in _PLAIN} | {
    ("collections", "Counter"): _Dict,  # milestones of a MultiStepLR
    ("collections", "OrderedDict"): _Dict,
    ("collections", "deque"): deque,
    ("torch", "Size"): tuple,
}
_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("_codecs", "encode"): _encode,
    ("builtins", "getattr"): _statistic,
    ("collections", "defaultdict"): lambda *ignored: _Dict(),
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.nn.parameter", "Parameter"): _parameter,
}
_OPAQUE = {
    ("argparse", "Namespace"),
    ("builtins", "slice"),
    ("mmengine.logging.history_buffer", "HistoryBuffer"),
    ("torch", "device"),
}
_OPAQUE_MODULES = ("numpy", "pathlib")  # and what is below them


class Unpickler(pickle.Unpickler):
    """Reads only what is named above."""

    def find_class(self, module: str, name: str) -> Any:
        """What stands for a name in a pickle; refuses those that are not known to be harmless."""
        key = ("builtins" if module == "__builtin__" else module, name)
        if key in _CLASSES:
            return _CLASSES[key]
        if key in _FUNCTIONS:
            return _Call(_FUNCTIONS[key])
        if key in _OPAQUE or module.partition(".")[0] in _OPAQUE_MODULES:
            return Opaque
        dtype = getattr(torch, name, None) if module == "torch" else None
        if isinstance(dtype, torch.dtype):
            return dtype
        if key == ("torch._utils", "_rebuild_tensor_v3"):
            raise UnsupportedError(
                "it holds tensors of a type such as float8 or uint16, which no backbone here has"
            )
        # torch.load itself finds the classes of storages
        raise UnsafePickleError(f"{module}.{name}")


def load(file: IO[bytes], **kwargs: Any) -> Any:
    """Read one pickle, as :func:`pickle.load` does; raises UnsafePickleError with what it names."""
    return Unpickler(file, **kwargs).load()
