"""Which versions of which packages senet_mm runs on: the one place where bounds stand.

pyproject.toml repeats them for pip, and docs/install.md for people; tests hold both to this file.
"""

from __future__ import annotations

import importlib
import importlib.util
from importlib import metadata
from types import ModuleType

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

# what every stack needs
DEPENDENCIES = (
    "torch>=2.1",
    "torchvision>=0.16",
    "numpy",
    "pycocotools>=2.0.6",
    "filelock",
    "jinja2>=3.0",
    "matplotlib",
    "packaging>=21.0",
    "pyyaml",
    "scipy",
    "tqdm",
)
# mmengine, mmcv and mmdet come from one of two families of packages
EXTRAS = {
    "onedl": (
        "onedl-mmengine>=0.10.12,<0.11",
        "onedl-mmcv>=2.3.6,<2.4",
        "onedl-mmdetection>=3.5.1,<3.6",
    ),
    "openmmlab": (
        "mmengine>=0.10.7,<0.11",
        "mmcv-lite>=2.1.0,<2.2",
        "mmdet>=3.3.0,<3.4",
        "numpy<2",
        "setuptools<81",
    ),
    # weights by timm://NAME; it brings safetensors
    "timm": ("timm>=1.0",),
    # classifiers; it requires neither torch nor mmcv nor mmengine, which the families bring
    "classification": ("onedl-mmpretrain>=1.3.6,<1.4",),
    # configs/segmentation; the official package is mmsegmentation, with ftfy and regex
    "segmentation": ("onedl-mmsegmentation>=1.4.2,<1.5",),
    # weights by hf://OWNER/REPO, senet-mm push
    "hub": ("huggingface_hub>=0.30",),
    # senet-mm export, senet-mm infer --onnx
    "export": ("onnx>=1.15", "onnxruntime>=1.17"),
    # compare --train --submitit
    "cluster": ("submitit>=1.5",),
    # compare --engine vernier
    "vernier": ("vernier>=0.5.4",),
    # --logger NAME
    "tensorboard": ("tensorboard>=2.18",),
    "wandb": ("wandb>=0.19",),
    "mlflow": ("mlflow>=2.20",),
}
# what an import accepts, by import name: more than pip is told to install
SUPPORTED = {
    "torch": ">=2.1",
    "torchvision": ">=0.16",
    "numpy": "",
    "pycocotools": ">=2.0.6",
    "mmengine": ">=0.10.0,<0.11.0",
    "mmcv": ">=2.1.0,<2.4.0",
    "mmdet": ">=3.3.0,<3.6.0",
}
HOW_TO_INSTALL = (
    "install one of the two tested stacks, `pip install 'senet_mm[onedl]'` (maintained forks) or "
    "`pip install 'senet_mm[openmmlab]'` (official packages); `senet-mm doctor` tells more"
)


def check_versions() -> None:
    """Check that what senet_mm needs is there, in supported versions.

    Raises:
        ImportError: In one sentence, what is missing, unsupported or broken and what
            to install.
    """
    for name, bounds in SUPPORTED.items():
        wanted = f"{name}{bounds}"
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"senet_mm needs {wanted}, which is not installed: {HOW_TO_INSTALL}")
        found = version_of(import_or_tell(name), name)
        if found is not None and not is_supported(found, bounds):
            raise ImportError(f"senet_mm needs {wanted} but found {found}: {HOW_TO_INSTALL}")


def import_or_tell(name: str) -> ModuleType:
    """Import a module of the stack.

    Raises:
        ImportError: In one sentence, if that fails in whatever way.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:  # a broken package raises anything
        raise ImportError(
            f"senet_mm needs {name}, whose import fails, {one_line(error)}: "
            "`senet-mm doctor` tells what mends it"
        ) from error


def is_supported(version: str, bounds: str) -> bool:
    """Whether a version lies in some bounds; a pre-release counts as its release."""
    try:
        release = Version(version).base_version
    except InvalidVersion:
        return False
    return SpecifierSet(bounds).contains(release)


def version_of(module: ModuleType, distribution: str) -> str | None:
    """The version that a module tells, or of the distribution that brought it, if that is known."""
    told = getattr(module, "__version__", None)
    return installed_version(distribution) if told is None else str(told)


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution; None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def one_line(error: BaseException) -> str:
    """An error's type and message on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
