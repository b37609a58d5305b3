"""Trained runs: config, checkpoint, logs."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from logging import WARNING
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log

from ..weights.read.hub import HUB, hub_file
from .config import read_config
from .data.by_task import set_data_root
from .data.datasets import annotation_path, image_dir, single_test_set
from .training.last_checkpoint import last_whole


@dataclass(frozen=True)
class Run:
    """A finished or interrupted training run.

    Attributes:
        work_dir: Its work dir; of a checkpoint from elsewhere, where its detections go.
        config: The config as it was run.
        checkpoint: Its last whole checkpoint.
    """

    work_dir: Path
    config: Config
    checkpoint: Path

    @property
    def name(self) -> str:
        """Name of the work dir."""
        return self.work_dir.name

    @property
    def seed(self) -> int | None:
        """Seed of weights, order and augmentation; None where the config leaves it to chance."""
        return (self.config.get("randomness") or {}).get("seed")

    @property
    def ann_file(self) -> Path:
        """Annotation file of the test set."""
        return annotation_path(single_test_set(self.config))

    @property
    def image_dir(self) -> Path:
        """Image folder of the test set."""
        return image_dir(single_test_set(self.config))

    def results_stem(self, *, tta: bool) -> str:
        """Its results' files up to their ending; those of augmented images have their own."""
        return str(self.work_dir / f"{self.checkpoint.stem}{'.tta' if tta else ''}")


def read_run(work_dir: str | Path, data_root: str | None = None) -> Run:
    """Read a work dir that mmengine's runner wrote.

    Args:
        work_dir: The folder.
        data_root: Where the data set is now, if it was moved.

    Raises:
        FileNotFoundError: If config or checkpoint is not there.
        ValueError: If there are several configs, or the checkpoint is damaged or holds more than
            tensors and plain data.
    """
    work_dir = Path(work_dir)
    configs = sorted(work_dir.glob("*.py"))
    if not configs:
        raise FileNotFoundError(
            f"{work_dir} is no work dir of a training run: it has no config (.py)"
        )
    if len(configs) > 1:
        names = ", ".join(path.name for path in configs)
        raise ValueError(
            f"{work_dir} has several configs ({names}): give each run its own work dir"
        )
    checkpoint, wrong = last_whole(work_dir, read_config(str(configs[0])))
    if checkpoint is None:
        raise FileNotFoundError(
            f"{work_dir} has no whole checkpoint of a training ({wrong}): give a config and its "
            "checkpoint, CONFIG,CHECKPOINT"
        )
    if wrong:
        print_log(f"{wrong}: taking the newest whole checkpoint, {checkpoint}", "current", WARNING)
    return make_run(configs[0], checkpoint, work_dir, data_root)


def config_and_checkpoint(source: str) -> tuple[str, str] | None:
    """The two of ``CONFIG,CHECKPOINT``; None of anything else, such as a folder with a comma."""
    if "," not in source or Path(source).exists():
        return None
    config, _, checkpoint = source.partition(",")
    return config, checkpoint


def make_run(
    config: str | Path, checkpoint: str | Path, work_dir: Path, data_root: str | None = None
) -> Run:
    """A run from its config and checkpoint.

    Args:
        config: Config file.
        checkpoint: Checkpoint file, or its name on the Hugging Face hub.
        work_dir: Where its detections go.
        data_root: Where the data set is now, if it was moved.

    Raises:
        FileNotFoundError, ValueError: If a file is missing or the config is no config.
        ConnectionError, ImportError: As :func:`senet_mm.weights.read.hub.hub_file`.
    """
    if str(checkpoint).startswith(HUB):
        checkpoint = hub_file(str(checkpoint))
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"checkpoint {checkpoint} not found")
    cfg = read_config(str(config))
    if data_root is not None:
        set_data_root(cfg, data_root)
    return Run(work_dir, cfg, Path(checkpoint))


def read_logs(run: Run) -> list[list[dict]]:
    """The numbers that mmengine logged, per start of the run, the earliest first."""
    logs = []
    for path in sorted(run.work_dir.glob("*/vis_data/scalars.json")):
        lines = path.read_text().splitlines()
        # a killed run leaves half a line
        logs.append([json.loads(line) for line in lines if line.endswith("}")])
    return logs


def seconds_per_iteration(run: Run) -> float | None:
    """Median time of a training iteration, in seconds, from the run's latest log."""
    for log in reversed(read_logs(run)):
        times = [entry["time"] for entry in log if "loss" in entry]
        if times:
            return statistics.median(times)
    return None
