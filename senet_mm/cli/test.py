"""Evaluate a checkpoint: senet-mm test CONFIG CHECKPOINT [--data-root DIR] ..."""

import argparse
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from mmdet.evaluation import DumpDetResults
from mmengine.dist import is_main_process
from mmengine.runner import Runner

from ..classification.scores import SUFFIX
from ..coco.metrics import explain_absent
from ..io.files import make_writable
from ..io.outputs import check_output, whole_output
from ..runs.class_drawings import draw_classes_into
from ..runs.class_scores import collect_scores, describe
from ..runs.drawings import draw_into
from ..runs.padding import PaddingShare
from ..runs.preflight import prepare
from ..runs.task import Task, task_of
from ..runs.tta import use_tta
from . import common as cli
from .arguments import Parser

_SUFFIXES = (".pkl", ".pickle")


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="senet-mm test",
        description="Evaluate a checkpoint: a detector with COCO mAP, a classifier with top-1 and "
        "top-5 error",
    )
    cli.add_config_arguments(parser)
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument(
        "--out",
        help="write the predictions to this .pkl file, or a classifier's scores to this .npz file",
    )
    parser.add_argument("--show-dir", help="draw predictions beside ground truth into this folder")
    cli.add_tta_argument(parser)
    args = parser.parse_args(argv)
    if args.out and not args.out.endswith((*_SUFFIXES, SUFFIX)):
        parser.error(f"--out {args.out}: expected a .pkl or .pickle file, of a classifier {SUFFIX}")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.out:
        check_output(args.out, "--out")
    if args.show_dir:
        make_writable(Path(args.show_dir), f"--show-dir {args.show_dir}", "choose another folder")
    cfg = cli.load_config(args)
    classifies = task_of(cfg) is Task.CLASSIFICATION
    if args.out and args.out.endswith(SUFFIX) is not classifies:
        kinds = SUFFIX if classifies else " or ".join(_SUFFIXES)
        raise ValueError(f"--out {args.out}: a config for {task_of(cfg)} gives a {kinds} file")
    cfg.load_from = args.checkpoint
    prepare(cfg, "test", pictures=args.check_images)
    if args.show_dir:
        (draw_classes_into if classifies else draw_into)(cfg, args.show_dir)
    if args.tta:
        use_tta(cfg)
    runner = Runner.from_cfg(cfg)
    padding = PaddingShare(runner.model)
    runner.register_hook(padding.hook())
    with whole_output(args.out) if args.out else nullcontext() as unfinished:
        if classifies:
            collect_scores(runner, args.checkpoint, unfinished)
        elif unfinished:
            runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=unfinished))
        metrics = runner.test()
    for note in explain_absent(metrics):
        print(f"note: {note}")
    padded = padding.note()
    if padded and is_main_process():
        print(f"note: {padded}")
    told = describe(metrics)
    if told and is_main_process():
        print(told)
