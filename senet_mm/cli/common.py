"""What the command lines share: arguments, the config, errors in one line."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import torch
from mmengine.config import Config, DictAction
from mmengine.dist import is_main_process

from ..compat.packaged_configs import PREFIX, config_path
from ..io.files import make_writable
from ..runs.data_root import set_data_root
from ..runs.interrupt import Interrupted, interruptible

TRACEBACK_VARIABLE = "SENET_MM_TRACEBACK"
# what bad input raises; anything else is a fault of ours or of the machine and keeps its traceback
_INPUT_ERRORS = (ValueError, TypeError, KeyError, AssertionError, OSError, ImportError)


def run(main: Callable[[], None]) -> None:
    """Run a command line; bad input becomes one line on stderr and exit code 2.

    Ctrl-C and SIGTERM become one line too, and exit codes 130 and 143. With
    ``SENET_MM_TRACEBACK=1`` in the environment the traceback of an error is kept.
    """
    try:
        with interruptible():
            main()
        return
    except Interrupted as stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would leave a traceback
        code = stop.exit_code
        if is_main_process():
            print(stop, file=sys.stderr, flush=True)
    except _INPUT_ERRORS as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        code = 2
        print(f"error: {one_line(error)}", file=sys.stderr)
    # here what was interrupted is freed, so that loaders have ended their workers
    sys.exit(code)


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
    # torch's older launcher passes the rank as an argument
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def read_config(path: str) -> Config:
    """Read a config file or a packaged config (``senet_mm::NAME``).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read, or has no ``model``.
    """
    file = config_path(path) if path.startswith(PREFIX) else Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"config {path} not found")
    try:
        cfg = Config.fromfile(file)
    except (SyntaxError, NameError, AttributeError) as error:
        raise ValueError(f"config {path} is no valid config: {error}") from error
    if "model" not in cfg:
        raise ValueError(f"config {path} has no model")
    return cfg


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the arguments of :func:`add_config_arguments`.

    ``--cfg-options`` come last, so that they win over every other argument.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = read_config(args.config)
    cfg.launcher = args.launcher
    if args.launcher == "pytorch" and not torch.cuda.is_available():
        _prepare_cpu_processes(cfg)
    if args.data_root is not None:
        # first the options too: they may name the files to look for below the root
        cfg.merge_from_dict(args.cfg_options or {})
        set_data_root(cfg, args.data_root)
    if args.seed is not None:
        cfg.randomness = dict(seed=args.seed)
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(cfg.filename).stem}"
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


def _prepare_cpu_processes(cfg: Config) -> None:
    """Let several processes train on CPUs; mmengine alone takes it that each has a GPU."""
    torch.distributed.init_process_group("gloo")
    wrapper = dict(
        type="MMDistributedDataParallel",
        broadcast_buffers=False,
        find_unused_parameters=cfg.get("find_unused_parameters", False),
    )
    # else mmengine binds each process to the GPU of its rank
    cfg.model_wrapper_cfg = wrapper | cfg.get("model_wrapper_cfg", {}) | dict(device_ids=None)


def make_work_dir(cfg: Config) -> None:
    """Create the work dir and make sure that files can be written there.

    Raises:
        OSError: Naming the folder, if it cannot be created or written.
    """
    folder = Path(cfg.work_dir)
    make_writable(folder, f"the work dir {folder}", "choose one with --work-dir")
