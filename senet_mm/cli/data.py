"""Show what is in a data set, and what is broken of it: senet-mm data FOLDER"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..comparison.report.data_set import html, text
from ..io.files import write_whole
from ..io.outputs import check_output
from ..runs.data.layouts.survey import survey
from . import common as cli
from .arguments import MAX_SEED, Parser, integer


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm data",
        description="Show what is in a data set: pictures, classes, sizes, crowding, and what is "
        "broken, with sample pictures on a page. The exit code is 2 where something is broken",
    )
    parser.add_argument(
        "data_root", metavar="FOLDER", help="in COCO's, YOLO's or VOC's layout; or YOLO's data.yaml"
    )
    parser.add_argument("--out", default="data.html", help="the page, data.html by default")
    parser.add_argument(
        "--num-images", type=integer(0), default=12, help="pictures shown of each split, 12"
    )
    parser.add_argument(
        "--seed", type=integer(0, MAX_SEED), default=0, help="which pictures are shown"
    )
    cli.add_split_arguments(parser)
    cli.add_picture_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    check_output(args.out, "--out")
    cli.split_data(args)
    found = survey(args.data_root, pictures=args.check_images)
    write_whole(Path(args.out), html(found, num_images=args.num_images, seed=args.seed))
    print(text(found))
    print(f"\nPage: {args.out}")
    if found.num_problems:
        sys.exit(2)
