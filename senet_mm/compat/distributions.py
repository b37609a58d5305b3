"""Which distributions bring the modules of the stack, and what pip is asked for."""

from __future__ import annotations

from packaging.requirements import Requirement

from .versions import DEPENDENCIES, EXTRAS, installed_version

FAMILY_MODULES = ("mmengine", "mmcv", "mmdet")  # in the order of a family's requirements
# module -> the distributions that bring it, where their names differ
_BROUGHT_BY = {
    "PIL": ("pillow",),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "mmengine": ("onedl-mmengine", "mmengine", "mmengine-lite"),
    "mmcv": ("onedl-mmcv", "mmcv", "mmcv-lite"),
    "mmdet": ("onedl-mmdetection", "mmdet"),
    "pkg_resources": ("setuptools<81",),
    "yaml": ("pyyaml",),
}


def installed(module: str) -> dict[str, str]:
    """The versions of the installed distributions that bring a module, by name."""
    versions = {name: installed_version(name) for name in _BROUGHT_BY.get(module, (module,))}
    return {name: version for name, version in versions.items() if version is not None}


def find_family() -> str:
    """Which of the two families of packages is installed, a key of ``EXTRAS``; onedl if none is."""
    names = [name for module in FAMILY_MODULES for name in installed(module)]
    official = names and not any(name.startswith("onedl-") for name in names)
    return "openmmlab" if official else "onedl"


def requirement(module: str) -> str:
    """What pip is asked for to have a module, in the family that is installed."""
    family = EXTRAS[find_family()]
    if module in FAMILY_MODULES:
        return family[FAMILY_MODULES.index(module)]
    known = {Requirement(one).name: one for one in (*DEPENDENCIES, *EXTRAS["timm"], *family)}
    return known.get(module, _BROUGHT_BY.get(module, (module,))[0])
