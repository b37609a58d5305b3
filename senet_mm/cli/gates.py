"""What SE gates do: senet-mm gates CONFIG CHECKPOINT [--data-root DIR] ..."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from ..gates.drop import check_replaceable, drop, find_obstacles, select_blocks
from ..gates.effect import compare_dropped
from ..gates.plots import plot_figures
from ..gates.record import check_classes, record_gates
from ..gates.statistics import find_blocks
from ..gates.summary import as_json, saturation_table, suggest, suggestion, summarize
from ..profiling.complexity import build_detector, count_parameters
from ..runs.config import inference_config
from ..runs.preflight import prepare
from ..runs.task import Task, expect_task
from . import common as cli
from .arguments import Parser, integer, number


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm gates",
        description="Statistics and pictures of the gates of SE blocks over the test set; "
        "optionally replace the gates of some blocks by constants",
    )
    cli.add_config_arguments(parser)
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--out-dir", help="for tables and pictures; WORK_DIR/gates by default")
    parser.add_argument("--classes", nargs="+", help="to draw; the four most frequent by default")
    parser.add_argument(
        "--max-images", type=integer(1), help="record the gates of the first images only"
    )
    parser.add_argument(
        "--max-deviation",
        type=number(0),
        default=0.05,
        help="a block whose gates deviate less from their mean is suggested to be dropped",
    )
    parser.add_argument(
        "--drop",
        nargs="+",
        metavar="NAME",
        help="blocks (SE_5_3), stages (stage5) or 'suggested': write config and checkpoint with "
        "their gates folded into the layers around as constants, and measure the change in AP",
    )
    parser.add_argument("--force", action="store_true", help="replace what --drop wrote before")
    args = parser.parse_args(argv)
    if args.launcher != "none":
        parser.error(f"--launcher {args.launcher}: gates are recorded by one process")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = cli.load_config(args)
    expect_task(cfg, Task.DETECTION, "senet-mm gates")
    out_dir = Path(args.out_dir or Path(cfg.work_dir) / "gates")
    headers = args.check_images
    prepare(inference_config(cfg, args.checkpoint, out_dir / "log"), "test", pictures=headers)
    model = build_detector(cfg)
    blocks = find_blocks(model)
    obstacles = find_obstacles(model, blocks)
    check_classes(cfg, args.classes or [])
    if args.drop:
        select_blocks(args.drop, blocks, obstacles)
        check_replaceable(out_dir / "dropped", force=args.force)

    statistics = record_gates(
        cfg,
        args.checkpoint,
        work_dir=out_dir / "log",
        max_images=args.max_images,
        pictures=headers,
    )
    rows = summarize(blocks, statistics, obstacles)
    suggested = suggest(rows, args.max_deviation)
    total = count_parameters(model)
    report = (
        f"Gates over {int(statistics.counts[0])} images.\n\n{saturation_table(rows)}\n\n"
        f"{suggestion(rows, args.max_deviation, total)}\n"
    )
    (out_dir / "gates.md").write_text(report, encoding="utf-8")
    numbers = json.dumps(as_json(rows, statistics, suggested), indent=1)
    (out_dir / "gates.json").write_text(numbers, encoding="utf-8")
    plots = plot_figures(statistics, args.classes, out_dir)
    print(f"\n{report}\nTables: {out_dir / 'gates.md'}, {out_dir / 'gates.json'}")
    print("Pictures: " + ", ".join(map(str, plots)))
    if not args.drop:
        return

    names = select_blocks(args.drop, blocks, obstacles, suggested)
    gates = {name: statistics.mean(name)[0] for name in names}
    dropped = drop(cfg, args.checkpoint, gates, out_dir / "dropped", force=args.force)
    table = compare_dropped(
        cfg, args.checkpoint, dropped, out_dir / "original", parameters=total, pictures=headers
    )
    saved = total - dropped.parameters
    text = (
        f"Gates folded: {', '.join(names)}. "
        f"Parameters saved: {saved:,} of {total:,} ({saved / total:.2%}).\n\n{table}\n"
    )
    (out_dir / "dropped.md").write_text(text, encoding="utf-8")
    print(f"\n{text}\nConfig: {dropped.config}\nCheckpoint: {dropped.checkpoint}")
