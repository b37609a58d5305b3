"""Whether this process is the command `senet-mm`: asked before the stack is imported."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

COMMAND = "senet-mm"
PACKAGE = "senet_mm.cli"  # of `python -m senet_mm.cli`


def is_command() -> bool:
    """Whether the running program is `senet-mm` or `python -m senet_mm.cli`.

    Workers that the command starts are not: they import the package for its classes.
    """
    if multiprocessing.parent_process() is not None:
        return False
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":  # what Python puts there while it looks for the module
        options = sys.orig_argv
        return PACKAGE in options and options[options.index(PACKAGE) - 1] == "-m"
    return Path(program).stem == COMMAND


def runs_exported(arguments: Sequence[str]) -> bool:
    """Whether arguments of ``senet-mm infer`` name an exported file, which needs no stack."""
    return any(word.partition("=")[0] == "--onnx" for word in arguments)
