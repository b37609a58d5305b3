"""Tell which packages are there, what is broken and what mends it: senet-mm doctor"""

from __future__ import annotations

import argparse
import platform
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..compat.distributions import find_family
from ..compat.mend import fit_torchvision
from ..compat.stack import Part, Problem, examine, examine_ops, try_import
from ..compat.versions import EXTRAS, installed_version, one_line
from ..version import __version__

_WIDTH = 12  # of the names' column


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="senet-mm doctor",
        description="Print the packages that senet_mm runs on, and name what is broken and the "
        "command that mends it",
        epilog="Exit code 0: nothing is broken; 1: something is.",
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the stack part by part, then what is broken in it.

    Returns:
        The exit code: 0 if nothing is broken, else 1.
    """
    parse_args(argv)
    print(f"{'senet_mm':<{_WIDTH}} {__version__}, {Path(__file__).resolve().parents[1]}")
    print(f"{'Python':<{_WIDTH}} {platform.python_version()}, {sys.executable}", flush=True)
    broken = []
    for part in _parts():
        mark = "   BROKEN" if part.problem else ""
        print(f"{part.name:<{_WIDTH}} {part.found}{mark}", flush=True)
        if part.problem:
            broken.append((part.name, part.problem))
    if not broken:
        print("\nNothing is broken.")
        return 0
    print(f"\nBroken: {', '.join(name for name, _ in broken)}.")
    for name, problem in broken:
        print(f"\n{name} {problem.what}\n    {problem.mend}")
    return 1


def _parts() -> Iterator[Part]:
    """The packages; where they are sound, what senet_mm makes of them too."""
    sound = True
    for part in examine():
        sound = sound and part.problem is None
        yield part
    for look in (examine_ops, _registration, _gpu, _triton):
        if sound:
            part = look()
            sound = part.problem is None
            yield part


def _registration() -> Part:
    """Everything together, as `import senet_mm` has it."""
    _, error = try_import("senet_mm.runs.registration")
    if error is None:
        return Part("registries", "SEResNet and all the others are in mmdet's")
    wanted = " ".join(f"'{one}'" for one in EXTRAS[find_family()])
    mending = f"pip install --force-reinstall --no-cache-dir {wanted}"
    return Part("registries", "not filled", Problem(f"cannot be filled: {error}", mending))


def _gpu() -> Part:
    import torch
    import torchvision

    if not torch.cuda.is_available():
        built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
        return Part("GPU", f"none that torch sees; torch is built for {built}")
    found = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    try:
        torchvision.ops.nms(torch.zeros(1, 4).cuda(), torch.zeros(1).cuda(), 0.5)
    except Exception as error:
        what = f"is not served by torchvision: {one_line(error)}"
        return Part("GPU", found, Problem(what, fit_torchvision()))
    return Part("GPU", found)


def _triton() -> Part:
    import torch

    from ..layers.fast_path.kernels import gate_sum

    version = installed_version("triton")
    if version is None:
        return Part("Triton", "not installed: the fast path runs in plain torch")
    if not torch.cuda.is_available():
        return Part("Triton", f"{version}; its kernels need a GPU")
    x = torch.ones(1, 1, 1, 1, device="cuda")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        gate_sum(x, x, None, x)
    if warned:
        return Part("Triton", f"{version}; not used: {warned[-1].message}")
    return Part("Triton", f"{version}; its kernels run")
