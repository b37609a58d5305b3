"""What of the stack is there, what of it is broken, and the command that mends it.

Packages are looked at in the order in which they build on each other. The first that is broken
is the cause: whether later ones can be imported is not asked any more.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement
from packaging.version import Version

from .distributions import FAMILY_MODULES, find_family, installed
from .mend import ensure, fit_torchvision, install, mend_import, reinstall, replace
from .versions import EXTRAS, SUPPORTED, installed_version, is_supported, one_line, version_of

_REQUIRED = (
    "numpy", "torch", "torchvision", "cv2", "pycocotools", *FAMILY_MODULES,
    "filelock", "jinja2", "matplotlib", "packaging", "tqdm",
)  # fmt: skip
_OPTIONAL = ("timm",)


@dataclass(frozen=True)
class Problem:
    """What is broken, in words that follow the part's name, and the command that mends it."""

    what: str
    mend: str


@dataclass(frozen=True)
class Part:
    """A part of the stack: its name, what was found of it, and what is broken, if anything."""

    name: str
    found: str
    problem: Problem | None = None


def examine() -> Iterator[Part]:
    """Look at each part of the stack."""
    sound = True
    for name in (*_REQUIRED, *_OPTIONAL):
        part = _examine(name, imports=sound)
        sound = sound and part.problem is None
        yield part


def examine_ops() -> Part:
    """mmcv's ops: compiled, or ours. Asked where mmcv is sound and ours are not installed yet."""
    name = "mmcv ops"
    if importlib.util.find_spec("mmcv._ext") is None:
        return Part(name, "senet_mm's own, on torchvision's kernels: mmcv has none compiled")
    _, error = try_import("mmcv._ext")
    if error is None:
        return Part(name, "compiled")
    what = f"cannot be loaded, they were compiled for another torch: {one_line(error)}"
    return Part(name, "compiled", Problem(what, reinstall("mmcv")))


def try_import(name: str) -> tuple[ModuleType | None, Exception | None]:
    """Import a module; or the error, whatever a broken package raises."""
    try:
        # one that was compiled for another numpy prints a page
        with redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name), None
    except Exception as error:
        return None, error


def _examine(name: str, *, imports: bool) -> Part:
    versions = installed(name)
    found = ", ".join(f"{one} {version}" for one, version in versions.items()) or "there"
    found = found.removeprefix(f"{name} ")
    if importlib.util.find_spec(name) is None:
        missing = Problem("is not installed", install(name)) if name in _REQUIRED else None
        return Part(name, "not installed", missing)
    problem = _problem_of_versions(name, versions) or _LOOKS.get(name, _no_problem)()
    if problem is None and imports:
        module, error = try_import(_COMPILED_PARTS.get(name, name))
        if module is not None and not versions:
            found = version_of(module, name) or found
        if error is not None:
            what = f"cannot be imported: {one_line(error)}"
            return Part(name, found, Problem(what, mend_import(name, error)))
        problem = _TRIALS.get(name, _no_problem)()
    return Part(name, found, problem)


def _problem_of_versions(name: str, versions: dict[str, str]) -> Problem | None:
    if name in FAMILY_MODULES and len(versions) > 1:
        what = f"comes from {' and '.join(versions)}, installed over each other"
        return Problem(what, replace(name))
    bounds = [SUPPORTED.get(name, "")]
    if name not in FAMILY_MODULES:  # what else the family asks for
        family = map(Requirement, EXTRAS[find_family()])
        bounds += [str(one.specifier) for one in family if one.name == name]
    for version, expected in itertools.product(versions.values(), bounds):
        if not is_supported(version, expected):
            return Problem(f"is {version}, expected is {expected}", replace(name))
    return None


def _no_problem() -> None:
    return None


def _look_at_torchvision() -> Problem | None:
    """torchvision is compiled for one version of torch, and says for which."""
    torch = installed_version("torch")
    needs = metadata.requires("torchvision") if installed("torchvision") else None
    for one in map(Requirement, needs or []):
        if torch and one.name == "torch" and not one.specifier.contains(torch, prereleases=True):
            what = f"is compiled for torch{one.specifier}, found is torch {torch}"
            return Problem(what, fit_torchvision())
    return None


def _look_at_mmengine() -> Problem | None:
    """The official releases import pkg_resources, which newer setuptools lack."""
    spec = importlib.util.find_spec("mmengine")
    file = Path(spec.origin if spec and spec.origin else "").parent / "utils" / "package_utils.py"
    needs = file.is_file() and "import pkg_resources" in file.read_text(encoding="utf-8")
    if not needs or importlib.util.find_spec("pkg_resources"):
        return None
    return Problem("needs pkg_resources, a part of setuptools before 81", ensure("setuptools<81"))


def _try_torch() -> Problem | None:
    """A torch that was compiled for numpy 1 can be imported beside numpy 2, but not used."""
    import torch

    try:
        torch.zeros(1).numpy()
    except RuntimeError as error:
        numpy = Version(installed_version("numpy") or "0")
        mend = ensure("numpy<2") if numpy.major >= 2 else reinstall("numpy")
        return Problem(f"does not work with numpy {numpy}: {one_line(error)}", mend)
    return None


def _try_torchvision() -> Problem | None:
    """Its compiled part may be missing in silence."""
    import torch
    import torchvision

    try:
        torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
    except Exception as error:
        return Problem(f"has no kernels that work: {one_line(error)}", fit_torchvision())
    return None


_COMPILED_PARTS = {"pycocotools": "pycocotools.mask"}  # what to import to load them
_LOOKS: dict[str, Callable[[], Problem | None]] = {
    "torchvision": _look_at_torchvision,
    "mmengine": _look_at_mmengine,
}
_TRIALS: dict[str, Callable[[], Problem | None]] = {
    "torch": _try_torch,
    "torchvision": _try_torchvision,
}
