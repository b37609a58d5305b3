"""What the command lines share: arguments, and the config they name."""

from __future__ import annotations

import argparse
import os

from mmengine.config import Config

from ..runs import config
from ..runs.data.layouts.find import give_val_split
from ..runs.training.loggers import LOGGERS
from .arguments import MAX_SEED, KeyValues, integer, number


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every tool that runs a config takes."""
    parser.add_argument("config", help="config file, or senet_mm::NAME for a packaged one")
    parser.add_argument("--work-dir", help="where logs and results go; work_dirs/CONFIG by default")
    parser.add_argument(
        "--data-root",
        help="a folder in COCO's layout (train2017/, val2017/, annotations/), YOLO's (data.yaml) "
        "or VOC's (Annotations/, JPEGImages/); of a classifier, one with train/CLASS/ and "
        "val/CLASS/, ImageNet's lists or CIFAR's files; replaces every path, and takes the "
        "classes from what is there",
    )
    add_split_arguments(parser)
    parser.add_argument(
        "--seed", type=integer(0, MAX_SEED), help="seed of weights, order and augmentation"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=KeyValues,
        help="settings to override, as key.subkey=value",
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="job launcher",
    )
    add_picture_argument(parser)
    # torch's older launcher passes the rank as an argument
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def add_split_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what belongs to a data set without pictures to validate on."""
    parser.add_argument(
        "--val-fraction",
        type=number(0, 1, inside=True),
        help="for a folder without a val split: which part of its pictures to set apart; it is "
        "kept in the folder, for later commands too",
    )
    parser.add_argument(
        "--val-seed", type=integer(0, MAX_SEED), default=0, help="which pictures these are"
    )


def split_data(args: argparse.Namespace) -> None:
    """Give ``args.data_root`` the split that :func:`add_split_arguments` asks for.

    Raises:
        FileNotFoundError, ValueError, OSError: As
            :func:`senet_mm.runs.data.layouts.find.give_val_split`.
    """
    if args.val_fraction is None:
        return
    if args.data_root is None:
        raise ValueError("--val-fraction is for a folder that --data-root names: give that too")
    give_val_split(args.data_root, args.val_fraction, args.val_seed)


def add_picture_argument(parser: argparse.ArgumentParser) -> None:
    """Add what tools take that read pictures of a data set."""
    parser.add_argument(
        "--no-check-images",
        dest="check_images",
        action="store_false",
        help="do not read the headers of all pictures first (for slow disks)",
    )


def add_tta_argument(parser: argparse.ArgumentParser) -> None:
    """Add what tools take that test."""
    parser.add_argument(
        "--tta",
        action="store_true",
        help="test-time augmentation, by the config's tta_pipeline and tta_model",
    )


def add_logger_argument(parser: argparse.ArgumentParser) -> None:
    """Add what tools take that train."""
    parser.add_argument(
        "--logger",
        action="append",
        choices=LOGGERS,
        help="report to this program too, inside the work dir; may be given for each",
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the arguments of :func:`add_config_arguments`.

    Raises:
        FileNotFoundError, ValueError, OSError: As :func:`senet_mm.runs.config.load_config` and
            :func:`split_data`.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    split_data(args)
    return config.load_config(
        args.config,
        work_dir=args.work_dir,
        data_root=args.data_root,
        seed=args.seed,
        launcher=args.launcher,
        options=args.cfg_options,
    )
