"""Let mmdet run on an mmcv that was installed without compiled ops.

``pip install onedl-mmcv`` and ``pip install mmcv-lite`` bring mmcv's Python files alone:
``import mmcv.ops``, and with it every detector, fails for want of ``mmcv._ext``. After
:func:`install`, that import finds :mod:`senet_mm.compat.mmcv_ext` instead, which serves the ops
that common detectors need through torchvision.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

EXT_NAME = "mmcv._ext"
_EXT_FILE = Path(__file__).with_name("mmcv_ext.py")


class ExtFinder(MetaPathFinder):
    """Finds ``mmcv._ext`` in :mod:`senet_mm.compat.mmcv_ext`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of ``mmcv._ext``; ``None`` for every other module."""
        if fullname != EXT_NAME:
            return None
        return importlib.util.spec_from_file_location(EXT_NAME, _EXT_FILE)


def install() -> None:
    """Make ``mmcv._ext`` importable where mmcv has no compiled one.

    The finder comes after Python's own, so a compiled ``mmcv._ext`` is always preferred. Nothing
    is imported here, and a second call changes nothing.
    """
    if not any(isinstance(finder, ExtFinder) for finder in sys.meta_path):
        sys.meta_path.append(ExtFinder())
