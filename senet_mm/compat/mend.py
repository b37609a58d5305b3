"""The commands that mend a stack."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.version import Version

from .distributions import installed, requirement
from .versions import installed_version

# torchvision 0.16 goes with torch 2.1, and so on
_MINORS_AHEAD = 15


def ensure(wanted: str) -> str:
    """Install what meets a requirement."""
    return f"pip install {_quoted(wanted)}"


def install(module: str) -> str:
    """Install a module that is not there."""
    return fit_torchvision() if module == "torchvision" else replace(module)


def replace(module: str, wanted: str | None = None) -> str:
    """Install what meets a requirement, a module's own by default, in place of what is there."""
    wanted = wanted or requirement(module)
    names = list(installed(module))
    if names in ([], [Requirement(wanted).name]):
        return ensure(wanted)
    # distributions that share a folder take each other's files along: first all go
    return f"pip uninstall -y {' '.join(names)} && pip install --no-cache-dir {_quoted(wanted)}"


def reinstall(module: str) -> str:
    """Install anew, past pip's cache: that may hold what was compiled for another torch."""
    wanted = requirement(module)
    if list(installed(module)) != [Requirement(wanted).name]:
        return replace(module)
    return f"pip install --force-reinstall --no-deps --no-cache-dir {_quoted(wanted)}"


def fit_torchvision() -> str:
    """Install the torchvision that was compiled for the torch that is there."""
    torch = Version(installed_version("torch") or "0")
    wanted = requirement("torchvision")
    if torch.major == 2:
        wanted = f"torchvision==0.{torch.minor + _MINORS_AHEAD}.*"
    if not installed("torchvision"):
        return ensure(wanted)
    return f"pip install --force-reinstall --no-deps {_quoted(wanted)}"


def mend_import(module: str, error: Exception) -> str:
    """What to do about a module whose import fails."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        if missing != module:
            return ensure(requirement(missing))
    if module == "torchvision":
        return fit_torchvision()
    if module == "cv2" and re.search(r"lib\w+\.so", str(error)):
        # a server has no libGL: the headless build needs none
        return replace("cv2", "opencv-python-headless")
    if module == "mmdet" and "MMCV==" in str(error):  # mmdet's own check of versions
        return replace("mmcv")
    return reinstall(module)


def _quoted(wanted: str) -> str:
    return f"'{wanted}'" if re.search(r"[<>*]", wanted) else wanted
