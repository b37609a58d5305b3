"""A pickle module for :func:`torch.load` that reads tensors and plain data, and runs nothing.

``torch.load(weights_only=True)`` does the same for newer versions of torch, but the oldest one
supported here cannot be told of the classes in mmengine's checkpoints.
"""

from __future__ import annotations

import importlib
import pickle
import re
from typing import IO, Any

from mmengine.logging import HistoryBuffer

# what tensors, numpy numbers and mmengine's records are made of, by module
_NUMPY_CORE = {"_reconstruct", "scalar", "_frombuffer"}
_SAFE = {
    "argparse": {"Namespace"},
    "builtins": {"bool", "bytearray", "complex", "dict", "float", "frozenset", "int", "list"}
    | {"set", "slice", "str", "tuple"},
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "mmengine.logging.history_buffer": {"HistoryBuffer"},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": _NUMPY_CORE,
    "numpy._core.multiarray": _NUMPY_CORE,
    "numpy.core.numeric": _NUMPY_CORE,
    "numpy._core.numeric": _NUMPY_CORE,
    "torch": {"Size", "device"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"},
    "torch.nn.parameter": {"Parameter"},
    "torch.storage": {"TypedStorage", "UntypedStorage"},
}
_SAFE_PATTERNS = {
    "numpy.dtypes": re.compile(r"\w+DType"),
    # storages and dtypes
    "torch": re.compile(r"\w+Storage|u?int\d+|b?float\d+|bool|complex\d+"),
}


class UnsafePickleError(pickle.UnpicklingError):
    """A pickle names a class or function that is not known to be harmless."""


class Unpickler(pickle.Unpickler):
    """Reads only the classes named above."""

    def find_class(self, module: str, name: str) -> Any:
        """Look up what a pickle names; refuse what is not known to be harmless."""
        module = {"__builtin__": "builtins"}.get(module, module)
        if (module, name) == ("builtins", "getattr"):
            return _statistic_of
        if (module, name) == ("_codecs", "encode"):
            return _encode  # how protocol 2 writes bytes
        pattern = _SAFE_PATTERNS.get(module)
        if name in _SAFE.get(module, ()) or (pattern and pattern.fullmatch(name)):
            return getattr(importlib.import_module(module), name)
        raise UnsafePickleError(f"{module}.{name}")


def load(file: IO[bytes], **kwargs: Any) -> Any:
    """Read one pickle, as :func:`pickle.load` does; raises UnsafePickleError with what it names."""
    return Unpickler(file, **kwargs).load()


def _statistic_of(owner: Any, name: str) -> Any:
    """``getattr``, for the one use that mmengine's checkpoints make of it."""
    if owner is HistoryBuffer and name in ("mean", "min", "max", "current"):
        return getattr(owner, name)
    raise UnsafePickleError(f"builtins.getattr({owner!r}, {name!r})")


def _encode(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise UnsafePickleError(f"_codecs.encode(..., {encoding!r})")
    return text.encode(encoding)
