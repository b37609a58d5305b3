"""What the command lines share: arguments, the config, errors in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from urllib.error import URLError

from mmengine.config import Config, DictAction

from ..runs import config
from ..runs.processes import StoppedElsewhere

TRACEBACK_VARIABLE = "SENET_MM_TRACEBACK"
# what bad input raises; anything else is a fault of ours or of the machine and keeps its traceback
_INPUT_ERRORS = (ValueError, TypeError, KeyError, AssertionError, OSError, ImportError)


def run(main: Callable[[], None]) -> None:
    """Run a command line; bad input becomes one line on stderr and exit code 2.

    With ``SENET_MM_TRACEBACK=1`` in the environment the traceback is kept.
    """
    try:
        main()
    except StoppedElsewhere:  # that process has told why
        sys.exit(2)
    except _INPUT_ERRORS as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(2)


def one_line(error: BaseException) -> str:
    """The message of an error; of one re-raised from a loader's worker, its last line."""
    if isinstance(error, URLError):
        return (
            f"a download failed ({error.reason}): for pretrained weights give a local file, "
            "--cfg-options model.backbone.init_cfg.checkpoint=PATH"
        )
    message = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return lines[-1] if "Traceback (most recent call last)" in message else " ".join(lines)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every tool that runs a config takes."""
    parser.add_argument("config", help="config file, or senet_mm::NAME for a packaged one")
    parser.add_argument("--work-dir", help="where logs and results go; work_dirs/CONFIG by default")
    parser.add_argument(
        "--data-root",
        help="a folder in COCO's layout (train2017/, val2017/, annotations/); replaces every path "
        "of the config, and takes the classes from the annotation files",
    )
    parser.add_argument("--seed", type=int, help="seed of weights, order and augmentation")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
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


def add_picture_argument(parser: argparse.ArgumentParser) -> None:
    """Add what tools take that read pictures of a data set."""
    parser.add_argument(
        "--no-check-images",
        dest="check_images",
        action="store_false",
        help="do not read the headers of all pictures first (for slow disks)",
    )


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the arguments of :func:`add_config_arguments`.

    Raises:
        FileNotFoundError, ValueError: As :func:`senet_mm.runs.config.load_config`.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    return config.load_config(
        args.config,
        work_dir=args.work_dir,
        data_root=args.data_root,
        seed=args.seed,
        launcher=args.launcher,
        options=args.cfg_options,
    )
