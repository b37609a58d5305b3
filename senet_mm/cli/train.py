"""Train a detector: python tools/train.py CONFIG [--data-root DIR] [--work-dir DIR] ..."""

import argparse

from mmengine.config import Config
from mmengine.runner import Runner

from ..runs.finite import watch_finite
from ..runs.learning_rate import scale_by_effective_batch
from ..runs.preflight import check_checkpoints, check_data, check_frozen, require_fit, watch_weights
from ..runs.settings import check_settings
from . import common as cli
from .arguments import Parser


def parse_args() -> argparse.Namespace:
    parser = Parser(description="Train a detector")
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
    return parser.parse_args()


def apply_train_arguments(cfg: Config, args: argparse.Namespace) -> None:
    if args.amp:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
        cfg.optim_wrapper.loss_scale = "dynamic"
    if args.auto_scale_lr:
        if "base_batch_size" not in cfg.get("auto_scale_lr", {}):
            raise ValueError(f"--auto-scale-lr: {args.config} has no auto_scale_lr.base_batch_size")
        cfg.auto_scale_lr.enable = True
    if args.resume:
        cfg.resume = True
        require_fit(cfg)
        cfg.load_from = None if args.resume == "auto" else args.resume


def main() -> None:
    args = parse_args()
    cfg = cli.load_config(args)
    apply_train_arguments(cfg, args)
    check_settings(cfg, training=True)
    watch_weights(cfg)
    watch_finite(cfg)
    check_frozen(cfg)
    check_checkpoints(cfg)  # before the data set is read
    check_data(cfg, ("train_dataloader", "val_dataloader"))
    cli.make_work_dir(cfg)
    runner = Runner.from_cfg(cfg)
    scale_by_effective_batch(runner)
    runner.train()
