"""Which versions of the OpenMMLab stack senet_mm runs on."""

from __future__ import annotations

import importlib
import importlib.util
import re

# import name -> (first supported version, first unsupported one)
SUPPORTED = {
    "mmengine": ((0, 10, 0), (0, 11, 0)),
    "mmcv": ((2, 1, 0), (2, 4, 0)),
    "mmdet": ((3, 3, 0), (3, 6, 0)),
}
HOW_TO_INSTALL = (
    "install one of the two tested stacks, `pip install 'senet_mm[onedl]'` (maintained forks) or "
    "`pip install 'senet_mm[openmmlab]'` (official packages)"
)


def check_versions() -> None:
    """Check that mmengine, mmcv and mmdet are there, in supported versions.

    Raises:
        ImportError: In one sentence, what is missing or unsupported and what
            to install.
    """
    for name, (first, end) in SUPPORTED.items():
        wanted = f"{name}>={_dotted(first)},<{_dotted(end)}"
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"senet_mm needs {wanted}, which is not installed: {HOW_TO_INSTALL}")
        found = importlib.import_module(name).__version__
        if not first <= _parse(found) < end:
            raise ImportError(f"senet_mm needs {wanted} but found {found}: {HOW_TO_INSTALL}")


def _parse(version: str) -> tuple[int, ...]:
    """The release numbers of a version: '3.3.0rc1' -> (3, 3, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
