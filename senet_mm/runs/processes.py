"""The processes of a run: started before anything is computed, and stopped together."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.utils.dl_utils import set_multi_processing
from torch import distributed

# what a launcher tells each process it starts, and the program that is meant
_VARIABLES = {
    "pytorch": ("RANK", "torchrun"),
    "slurm": ("SLURM_PROCID", "srun"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "mpirun"),
}
T = TypeVar("T")
_PATIENCE = timedelta(days=1)  # with the process that downloads and checks for the others


class StoppedElsewhere(RuntimeError):
    """Another process of the run has stopped, and said why."""


def start_processes(cfg: Config) -> None:
    """Join the processes of a run, as mmengine's runner would later; once is enough.

    Where there is no GPU, the processes train on CPUs; mmengine alone takes it
    that each has a GPU.

    Raises:
        ValueError: If they were not started by the config's launcher, or this one needs GPUs.
    """
    launcher = cfg.get("launcher", "none")
    if launcher == "none":
        return
    on_cpu = not torch.cuda.is_available()
    if on_cpu:
        _wrap_for_cpu(cfg)
    if is_distributed():
        return
    if launcher not in _VARIABLES:
        raise ValueError(f"launcher={launcher!r}: expected none, {', '.join(_VARIABLES)}")
    variable, program = _VARIABLES[launcher]
    if variable not in os.environ:
        raise ValueError(
            f"--launcher {launcher}: the environment variable {variable} is not set: {program} "
            f"sets it; start the command by {program}"
        )
    env_cfg = cfg.get("env_cfg") or {}
    if not on_cpu:
        set_multi_processing(**env_cfg.get("mp_cfg", {}), distributed=True)
        init_dist(launcher, **env_cfg.get("dist_cfg", {}))
    elif launcher == "pytorch":
        distributed.init_process_group("gloo")
    else:
        raise ValueError(
            f"--launcher {launcher} needs GPUs, and there is none: expected pytorch on CPUs"
        )


def check_on_each_node(check: Callable[[], T]) -> T:
    """Run a check in one process of each node; what it raises stops every process.

    The other processes wait for it, so that what it downloads is there for them.

    Returns:
        What the check of the first process returned, in every process.

    Raises:
        StoppedElsewhere: If the check of another process failed.
        Whatever the check raises.
    """
    if not is_distributed():
        return check()
    # of its own, for CPUs: a GPU's would give up within minutes
    group = distributed.new_group(backend="gloo", timeout=_PATIENCE)
    error: Exception | None = None
    found: T | None = None
    if int(os.environ.get("LOCAL_RANK", 0)) == 0:
        try:
            found = check()
        except Exception as failure:  # whatever it is, the others must not wait for ever
            error = failure
    answers: list[Any] = [None] * distributed.get_world_size()
    message = error and (str(error) or repr(error))
    distributed.all_gather_object(answers, (message, found), group=group)
    distributed.destroy_process_group(group)
    if any(message is not None for message, _ in answers):
        distributed.destroy_process_group()  # whose threads may abort a process that exits
    if error is not None:
        raise error
    for rank, (message, _) in enumerate(answers):
        if message is not None:
            raise StoppedElsewhere(f"process {rank} has stopped: {message}")
    return answers[0][1]


def _wrap_for_cpu(cfg: Config) -> None:
    wrapper = dict(
        type="MMDistributedDataParallel",
        broadcast_buffers=False,
        find_unused_parameters=cfg.get("find_unused_parameters", False),
    )
    # else mmengine binds each process to the GPU of its rank
    cfg.model_wrapper_cfg = wrapper | cfg.get("model_wrapper_cfg", {}) | dict(device_ids=None)
