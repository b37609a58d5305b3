"""Write the embedded shapes set (COCO layout): senet-mm shapes data/shapes"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ..shapes.dataset import describe_shapes, generate_shapes
from .arguments import Parser, integer


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = Parser(prog="senet-mm shapes", description=__doc__, formatter_class=formatter)
    parser.add_argument("root", help="directory to create")
    parser.add_argument("--num-train", type=integer(1), default=200, help="training pictures")
    parser.add_argument("--num-val", type=integer(1), default=100, help="validation pictures")
    parser.add_argument(
        "--image-size",
        type=integer(64),
        nargs="+",
        default=[256],
        metavar="PIXELS",
        help="one side for square pictures, or height and width",
    )
    parser.add_argument(
        "--max-objects", type=integer(1), default=8, help="most objects in a picture"
    )
    parser.add_argument("--seed", type=integer(0), default=0, help="seed of every random choice")
    parser.add_argument("--force", action="store_true", help="replace another shapes set in root")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    root = generate_shapes(
        args.root,
        num_train=args.num_train,
        num_val=args.num_val,
        image_size=args.image_size[0] if len(args.image_size) == 1 else tuple(args.image_size),
        max_objects=args.max_objects,
        seed=args.seed,
        force=args.force,
    )
    for split, counts in describe_shapes(root).items():
        print(f"{split}: {counts['images']} images, {counts['annotations']} objects")
        print("  " + ", ".join(f"{name} {n}" for name, n in counts["per_class"].items()))
    print(f"The set is in {root}")
