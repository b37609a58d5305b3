"""The parsers of our commands, and what a command line in the documentation says to them."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest

from senet_mm.cli.main import COMMANDS
from tests.docs.markdown import REPO, Code, blocks, spans

PROGRAMS = ("senet-mm", "python", "torchrun", "make", "pip", "mim")
STUDIES = sorted(
    path.stem for path in (REPO / "studies").glob("*.py") if "def parse_args" in path.read_text()
)


class _Reached(Exception):
    """A parser, at the moment when it would parse."""


def parser(module: str) -> argparse.ArgumentParser:
    """The parser of a module with a ``parse_args``."""

    def hand_over(self: argparse.ArgumentParser, *arguments: Any) -> NoReturn:
        raise _Reached(self)

    parse_args = importlib.import_module(module).parse_args
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", hand_over)
        with pytest.raises(_Reached) as reached:
            parse_args(*[None for _ in inspect.signature(parse_args).parameters])
    return reached.value.args[0]


def parse(module: str, arguments: list[str]) -> argparse.Namespace:
    """Have a module parse a command line, which ends in ``SystemExit`` where it is wrong."""
    parse_args = importlib.import_module(module).parse_args
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [module, *arguments])
        return parse_args(*[arguments for _ in inspect.signature(parse_args).parameters])


def all_parsers() -> dict[str, argparse.ArgumentParser]:
    """The parsers of all commands and studies, by module."""
    ours = [f"senet_mm.cli.{name}" for name in COMMANDS]
    modules = ours + [f"studies.{name}" for name in STUDIES]
    return {module: parser(module) for module in modules}


def lines() -> Iterator[Code]:
    """Every command line: those of blocks, and code in the text that starts as one."""
    for block in blocks("shell", "bash", "console"):
        text = block.text.replace("\\\n", " ")
        found = [line.removeprefix("$ ") for line in text.splitlines() if line.strip()]
        for line in found:
            if not line.lstrip().startswith("#"):
                yield Code(line, block.place)
    for span in spans():
        program, *others = span.text.split()
        if (program in PROGRAMS and others) or program.startswith((".venv/", ".ci/")):
            yield span


def words(line: Code) -> list[str]:
    """The words of a command line; of a synopsis, with every optional part once."""
    text = line.text
    if text.startswith(("senet-mm", "python")):
        text = re.sub(r"[\[\]]|\.\.\.", "", text)
        text = re.sub(r"\bN\b", "1", text)
    return shlex.split(text, comments=True)
