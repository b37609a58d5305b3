"""Parameters and multiply-adds per stage: senet-mm complexity CONFIG [CONFIG ...]"""

import argparse
from collections.abc import Sequence

from ..profiling.complexity_table import complexity_table
from ..profiling.paper_table import paper_table
from ..profiling.paths import paths_table
from ..runs.config import read_config
from .arguments import Parser, integer


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm complexity", description="What backbones cost, the baseline first"
    )
    parser.add_argument("configs", nargs="*", help="config files, the baseline first")
    parser.add_argument(
        "--size",
        type=integer(1),
        nargs=2,
        metavar=("H", "W"),
        help="in pixels (default: what a classification config's net sees, else 224 224)",
    )
    tables = parser.add_mutually_exclusive_group()
    tables.add_argument(
        "--paper", action="store_true", help="print every count of the paper beside ours instead"
    )
    tables.add_argument(
        "--paths",
        action="store_true",
        help="print which path each residual unit with SE takes instead, and why no faster one",
    )
    args = parser.parse_args(argv)
    if bool(args.configs) == args.paper:
        parser.error("expected one config or more, or --paper")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.paper:
        print(paper_table())
        return
    configs = {path: read_config(path) for path in args.configs}
    table = paths_table if args.paths else complexity_table
    print(table(configs, args.size and tuple(args.size)))
