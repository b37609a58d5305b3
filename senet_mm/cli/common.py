"""What the command lines share: arguments, the config, errors in one line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import torch
from mmengine.config import Config

from ..compat.packaged_configs import PREFIX, config_path
from ..io.files import make_writable
from ..runs.config_file import read_config_file
from ..runs.data_root import set_data_root
from ..runs.options import check_options
from .arguments import MAX_SEED, KeyValues, integer
from .errors import run  # noqa: F401 (the shims' place for it)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what every tool that runs a config takes."""
    parser.add_argument("config", help="config file, or senet_mm::NAME for a packaged one")
    parser.add_argument("--work-dir", help="where logs and results go; work_dirs/CONFIG by default")
    parser.add_argument(
        "--data-root",
        help="a folder in COCO's layout (train2017/, val2017/, annotations/); replaces every path "
        "of the config, and takes the classes from the annotation files",
    )
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
    return read_config_file(file, path)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config and apply the arguments of :func:`add_config_arguments`.

    ``--cfg-options`` come last, so that they win over every other argument.
    """
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = read_config(args.config)
    for note in check_options(cfg, args.cfg_options or {}):
        print(f"note: {note}", file=sys.stderr)
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
