"""Train a model: senet-mm train CONFIG [--data-root DIR] [--work-dir DIR] ..."""

import argparse
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.runner import Runner

from ..runs.preflight import prepare
from ..runs.training.interrupt import interruptible_training
from ..runs.training.learning_rate import scale_by_effective_batch
from ..runs.training.lock import hold_work_dir
from ..runs.training.loggers import add_loggers, reported_end
from . import common as cli
from .arguments import Parser


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="senet-mm train", description="Train a detector or a classifier")
    cli.add_config_arguments(parser)
    parser.add_argument("--amp", action="store_true", help="automatic mixed precision (CUDA)")
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size"
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        help="resume from a checkpoint; without a path, from the latest in the work dir",
    )
    cli.add_logger_argument(parser)
    return parser.parse_args(argv)


def apply_train_arguments(cfg: Config, args: argparse.Namespace) -> None:
    if args.amp:
        if not cfg.get("optim_wrapper"):
            raise ValueError(f"--amp: {args.config} has no optim_wrapper")
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
    if args.auto_scale_lr:
        if "base_batch_size" not in (cfg.get("auto_scale_lr") or {}):
            raise ValueError(f"--auto-scale-lr: {args.config} has no auto_scale_lr.base_batch_size")
        cfg.auto_scale_lr.enable = True
    if args.resume:
        cfg.resume = True
        cfg.load_from = None if args.resume == "auto" else args.resume
    add_loggers(cfg, args.logger or ())


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = cli.load_config(args)
    apply_train_arguments(cfg, args)
    prepare(cfg, "train", pictures=args.check_images)
    with hold_work_dir(cfg.work_dir):
        runner = Runner.from_cfg(cfg)
        scale_by_effective_batch(runner)
        with reported_end(runner), interruptible_training(runner):
            runner.train()
