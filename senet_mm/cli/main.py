"""The command ``senet-mm``: one sub-command per module beside this one."""

from __future__ import annotations

import argparse
import importlib
import sys

from .common import run

COMMANDS = {
    "train": "train a detector",
    "test": "evaluate a checkpoint",
    "infer": "detect objects in pictures",
    "compare": "compare detectors, the baseline first",
    "gates": "what SE gates do",
    "convert": "convert weights to our layout or to timm's",
    "complexity": "parameters and multiply-adds per stage",
    "benchmark": "time SE against the plain net and against others",
    "shapes": "write the embedded shapes set",
    "demo": "train, evaluate and compare a plain and an SE detector on generated pictures",
}


def main() -> None:
    """Run the sub-command that the command line names."""
    parser = argparse.ArgumentParser(prog="senet-mm", usage="senet-mm COMMAND ...")
    listed = "; ".join(f"{name}: {what}" for name, what in COMMANDS.items())
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=listed)
    name = parser.parse_args(sys.argv[1:2]).command
    sys.argv[:2] = [f"senet-mm {name}"]
    run(importlib.import_module(f"senet_mm.cli.{name}").main)
