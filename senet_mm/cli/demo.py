"""Train, evaluate and compare a plain and an SE detector on generated pictures: senet-mm demo."""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .arguments import MAX_SEED, Parser, integer

PAIR = {"plain": "faster_rcnn_r18_fpn_shapes.py", "se": "faster_rcnn_se_r18_fpn_shapes.py"}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="senet-mm demo", description=__doc__)
    parser.add_argument("--work-dir", default="work_dirs/demo", help="where everything goes")
    parser.add_argument("--num-train", type=integer(1), default=480, help="training pictures")
    parser.add_argument("--num-val", type=integer(1), default=120, help="validation pictures")
    parser.add_argument(
        "--epochs", type=integer(1), help="training epochs, instead of the config's"
    )
    parser.add_argument(
        "--seed",
        type=integer(0, MAX_SEED),
        default=0,
        help="seed of pictures and of both trainings",
    )
    return parser.parse_args(argv)


def run_command(name: str, *arguments: object) -> None:
    """Run another command; stop where it stops, it has said why."""
    command = [sys.executable, "-W", "ignore", "-m", "senet_mm.cli", name, *map(str, arguments)]
    code = subprocess.run(command).returncode
    if code:
        sys.exit(code)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    work_dir = Path(args.work_dir)
    data_root = work_dir / "shapes"
    run_command(
        "shapes", data_root, "--num-train", args.num_train, "--num-val", args.num_val,
        "--seed", args.seed,
    )  # fmt: skip
    schedule = []
    if args.epochs:
        schedule = ["--cfg-options", f"train_cfg.max_epochs={args.epochs}"]
    for name, config in PAIR.items():
        print(f"\n=== training {name}: configs/demo/{config}", flush=True)
        run_command(
            "train", f"senet_mm::demo/{config}", "--data-root", data_root, "--seed", args.seed,
            "--work-dir", work_dir / name, *schedule,
        )  # fmt: skip
    print("\n=== comparing", flush=True)
    run_command("compare", *(work_dir / name for name in PAIR), "--out-dir", work_dir)
