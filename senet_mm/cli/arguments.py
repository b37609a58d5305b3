"""Parser and types of command-line arguments, with the range that each accepts."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
from mmengine.config import DictAction

MAX_SEED = 2**32 - 1  # NumPy's


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, as our other errors do."""

    def error(self, message: str) -> NoReturn:
        """Print the line and exit with code 2."""
        self.exit(2, f"error: {message} (--help shows the arguments)\n")


def integer(low: int, high: int | None = None) -> Callable[[str], int]:
    """A type for ``add_argument``: an integer of ``low`` or more, and at most ``high``."""
    expected = f"an integer of {low} or more" if high is None else f"an integer, {low} to {high}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low or (high is not None and value > high):
            raise argparse.ArgumentTypeError(f"{text}: expected {expected}")
        return value

    return parse


def number(
    low: float, high: float | None = None, *, inside: bool = False
) -> Callable[[str], float]:
    """A type for ``add_argument``: a finite number of ``low`` or more, and at most ``high``.

    Args:
        low: The lowest.
        high: The highest, if there is one.
        inside: Leave the two ends out.
    """
    ends = ", both left out" if inside else ""
    expected = f"a number of {low:g} or more" if high is None else f"{low:g} to {high:g}{ends}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        top = math.inf if high is None else high
        accepted = low < value < top if inside else low <= value <= top
        if not accepted or not math.isfinite(value):
            raise argparse.ArgumentTypeError(f"{text}: expected {expected}")
        return value

    return parse


def device(text: str) -> str:
    """A type for ``add_argument``: a device that torch knows and that is there."""
    try:
        asked = torch.device(text)
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"{text}: expected cpu, cuda or cuda:INDEX") from None
    if asked.type == "cuda" and (asked.index or 0) >= torch.cuda.device_count():
        raise argparse.ArgumentTypeError(
            f"{text}: this machine has {torch.cuda.device_count()} CUDA devices; cpu does without"
        )
    return text


class KeyValues(DictAction):
    """mmengine's ``KEY=VALUE ...``, whose faults are told as an argument's."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        for text in values or []:
            key, equals, _ = str(text).partition("=")
            if not equals or not all(key.split(".")):
                parser.error(f"argument {option_string}: {text}: expected KEY=VALUE")
        try:
            super().__call__(parser, namespace, values, option_string)
        except (AssertionError, ValueError) as error:
            parser.error(f"argument {option_string}: {' '.join(values or [])}: {error}")
