"""Arguments of `senet-mm compare --train`, and the trainings before the comparison."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..comparison.trainings.launchers import Launcher, Processes
from ..comparison.trainings.plan import plan_trainings
from ..comparison.trainings.run import train_missing
from . import common as cli
from .arguments import KeyValues, integer
from .launch import COMMAND

_NUM_SEEDS = 5  # from which on intervals over trainings hold what they promise


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what belongs to ``--train``."""
    group = parser.add_argument_group("training first")
    group.add_argument(
        "--train",
        action="store_true",
        help="RUN is a config: train what is missing below --out-dir, then compare; the same "
        "command goes on with what was stopped",
    )
    group.add_argument(
        "--seeds", type=integer(1), help=f"trainings of each config, {_NUM_SEEDS} by default"
    )
    group.add_argument(
        "--cfg-options",
        nargs="+",
        action=KeyValues,
        help="settings to override in all configs, as key.subkey=value",
    )
    group.add_argument(
        "--submitit",
        nargs="*",
        action=KeyValues,
        metavar="KEY=VALUE",
        help="train as jobs of a cluster, with these parameters of submitit, such as "
        "slurm_partition=gpu timeout_min=600",
    )
    cli.add_logger_argument(parser)


def check_training_arguments(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse what belongs to ``--train`` without it."""
    if not args.train:
        for name in ("seeds", "cfg_options", "submitit", "logger"):
            if getattr(args, name) is not None:
                parser.error(f"--{name.replace('_', '-')} is for --train, which is not given")


def train(args: argparse.Namespace, argv: Sequence[str] | None) -> None:
    """Train what is missing; then the runs of ``args`` are work dirs, and their names are told.

    Raises:
        ValueError: If trainings have failed, and as :func:`plan_trainings`.
        Interrupted: As :func:`train_missing`.
    """
    launcher = _launcher(args)
    planned = plan_trainings(
        args.runs,
        args.names,
        num_seeds=args.seeds or _NUM_SEEDS,
        out_dir=Path(args.out_dir),
        data_root=args.data_root,
        ann_file=args.ann_file,
        masks=args.iou_type == "segm",
        options=args.cfg_options,
        loggers=args.logger or (),
        pictures=args.check_images,
        tta=args.tta,
    )
    for one in planned:
        print(f"{one}: {one.state.value} ({one.work_dir})")
    sys.stdout.flush()
    given = sys.argv[1:] if argv is None else argv
    train_missing(planned, launcher, shlex.join([COMMAND, "compare", *given]))
    args.runs = [str(one.work_dir) for one in planned]
    args.names = [one.detector for one in planned]


def _launcher(args: argparse.Namespace) -> Launcher:
    if args.submitit is None:
        return Processes()
    try:
        from ..comparison.trainings.cluster import Cluster
    except ModuleNotFoundError as error:
        raise ImportError(
            f"--submitit needs {error.name}, which is not installed: "
            "`pip install 'senet_mm[cluster]'`"
        ) from error
    return Cluster(Path(args.out_dir, "submitit"), args.submitit)
