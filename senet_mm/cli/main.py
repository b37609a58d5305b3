"""The command ``senet-mm``: one sub-command per module beside this one.

Here nothing of the stack is imported before a sub-command asks for it, so that help, version and
``senet-mm doctor`` work where the stack is broken.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from ..version import __version__
from .launch import COMMAND, runs_exported

COMMANDS = {
    "train": "train a detector or a classifier",
    "test": "evaluate a checkpoint",
    "infer": "detect objects in pictures and videos",
    "compare": "compare detectors, the baseline first",
    "average": "average the scores of classifiers",
    "gates": "show what SE gates do, and drop those that do nothing",
    "convert": "convert weights to our layout or to timm's",
    "export": "write a detector as an ONNX file",
    "push": "put a trained model on the Hugging Face hub",
    "configs": "list the packaged configs, or write one out",
    "complexity": "count parameters and multiply-adds per stage",
    "benchmark": "time SE against the plain net and against others",
    "data": "show what is in a data set, and what is broken of it",
    "shapes": "write the embedded shapes set",
    "demo": "train, evaluate and compare a plain and an SE detector on generated pictures",
    "doctor": "tell which packages are there, what is broken and what mends it",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the sub-command that the command line names.

    Args:
        argv: The command line without the program's name; by default this process's.
    """
    name, *arguments = (sys.argv[1:] if argv is None else list(argv)) or ["--help"]
    try:
        _run(name, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # who reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _run(name: str, arguments: list[str]) -> None:
    if name in ("-h", "--help"):
        print(usage())
    elif name == "--version":
        print(f"senet_mm {__version__}")
    elif name not in COMMANDS:
        _fail(f"there is no command {name!r}: {_nearest(name)}")
    elif name == "doctor":
        try:
            doctor = _load("doctor")  # alone of all it needs no sound stack
        except ImportError as error:
            _fail(f"{error}: it comes with senet_mm; reinstall that with its dependencies")
        sys.exit(doctor.main(arguments))
    elif name == "infer" and runs_exported(arguments):
        try:
            _load("infer_onnx").main(arguments)
        except (ImportError, OSError, ValueError) as error:
            _fail(str(error))
    else:
        _load_stack()
        command = _load(name).main
        _load("errors").run(lambda: command(arguments))


def usage() -> str:
    """What ``senet-mm --help`` prints."""
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    return (
        f"usage: {COMMAND} COMMAND ...\n       {COMMAND} --version\n\n{listed}\n\n"
        f"`{COMMAND} COMMAND --help` shows the arguments of a command."
    )


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    if near and not name.startswith("-"):
        return f"did you mean {near[0]!r}?"
    return f"expected one of {', '.join(COMMANDS)}"


def _load_stack() -> None:
    """Register everything, as an import of senet_mm does; end in one line if that fails."""
    try:
        importlib.import_module("senet_mm.runs.registration")
    except ImportError as error:
        _fail(str(error))


def _load(name: str) -> ModuleType:
    return importlib.import_module(f"senet_mm.cli.{name}")


def _fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)
