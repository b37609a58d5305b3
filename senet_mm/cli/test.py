"""Evaluate a checkpoint: senet-mm test CONFIG CHECKPOINT [--data-root DIR] ..."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from mmdet.evaluation import DumpDetResults
from mmengine.runner import Runner

from ..coco.metrics import explain_absent
from ..io.files import make_writable
from ..io.outputs import check_output, whole_output
from ..runs.drawings import draw_into
from ..runs.preflight import prepare
from . import common as cli
from .arguments import Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="senet-mm test", description="Evaluate a checkpoint with COCO mAP")
    cli.add_config_arguments(parser)
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--out", help="write the predictions to this .pkl file")
    parser.add_argument("--show-dir", help="draw predictions beside ground truth into this folder")
    args = parser.parse_args(argv)
    if args.out and not args.out.endswith((".pkl", ".pickle")):
        parser.error(f"--out {args.out}: expected a .pkl or .pickle file")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.out:
        check_output(args.out, "--out")
    if args.show_dir:
        make_writable(Path(args.show_dir), f"--show-dir {args.show_dir}", "choose another folder")
    cfg = cli.load_config(args)
    cfg.load_from = args.checkpoint
    prepare(cfg, "test", pictures=args.check_images)
    if args.show_dir:
        draw_into(cfg, args.show_dir)
    runner = Runner.from_cfg(cfg)
    with whole_output(args.out) if args.out else nullcontext() as unfinished:
        if unfinished:
            runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=unfinished))
        metrics = runner.test()
    for note in explain_absent(metrics):
        print(f"note: {note}")
