"""Where trainings run: as jobs of a cluster, by submitit."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import submitit

from .launchers import Job
from .plan import Training

_DAY = 24 * 60  # minutes; submitit's own default is five


class Cluster:
    """Each training is a job with a GPU; the cluster's own queue decides when it runs.

    Args:
        folder: Where submitit keeps its files.
        parameters: Those of ``submitit.AutoExecutor.update_parameters``, such as
            ``slurm_partition``, ``timeout_min`` or ``mem_gb``; and ``cluster``, ``slurm`` or
            ``local``, which it finds by itself.

    Raises:
        ValueError: If submitit does not take a parameter, or the cluster is not there.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, Any]) -> None:
        given = dict(parameters)
        try:
            self._executor = submitit.AutoExecutor(
                folder=folder, cluster=given.pop("cluster", None)
            )
            gpus = {} if self._executor.cluster == "local" else {"gpus_per_node": 1}
            self._executor.update_parameters(
                **{"timeout_min": _DAY, "name": "senet-mm"} | gpus | given
            )
        except (RuntimeError, ValueError, NameError, TypeError) as error:
            raise ValueError(f"--submitit: {' '.join(str(error).split())}") from error
        self.num_places = 10**6  # the queue is the cluster's

    def start(self, training: Training) -> Job:
        training.work_dir.mkdir(parents=True, exist_ok=True)
        job = TrainingJob(training.command, str(training.output.resolve()))
        return _Submitted(self._executor.submit(job))


class TrainingJob(submitit.helpers.Checkpointable):
    """A training in its job, which is queued again, and resumes, after preemption or a time-out."""

    def __init__(self, command: Sequence[str], output: str) -> None:
        self._command = command
        self._output = output

    def __call__(self) -> int:
        with open(self._output, "ab") as output:
            return subprocess.run(self._command, stdout=output, stderr=output).returncode


class _Submitted:
    def __init__(self, job: submitit.Job[int]) -> None:
        self._job = job

    def poll(self) -> int | None:
        if not self._job.done():
            return None
        return 1 if self._job.exception() is not None else self._job.result()

    def stop(self, number: int) -> None:
        self._job.cancel()

    def kill(self) -> None:
        self._job.cancel()
