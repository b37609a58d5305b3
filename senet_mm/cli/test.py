"""Evaluate a checkpoint: python tools/test.py CONFIG CHECKPOINT [--data-root DIR] ..."""

import argparse
from collections.abc import Sequence

from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmengine.runner import Runner

from ..runs.preflight import prepare
from . import common as cli


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="senet-mm test", description="Evaluate a checkpoint with COCO mAP"
    )
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
    cfg = cli.load_config(args)
    cfg.load_from = args.checkpoint
    prepare(cfg, "test", pictures=args.check_images)
    if args.show_dir:
        args.show, args.wait_time = False, 0  # of mmdet's own tool, read by the hook's helper
        trigger_visualization_hook(cfg, args)
    runner = Runner.from_cfg(cfg)
    if args.out:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=args.out))
    runner.test()
