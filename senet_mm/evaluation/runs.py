"""Trained runs in their work dirs: config, checkpoint, speed, detections."""

from __future__ import annotations

import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from ..utils.checks import check_data
from ..utils.data_root import annotation_path, datasets_of, image_dir, set_data_root
from ..utils.test_run import test_run


@dataclass(frozen=True)
class Run:
    """A finished or interrupted training run.

    Attributes:
        work_dir: The folder that the training wrote.
        config: The config as it was run.
        checkpoint: Its latest checkpoint.
    """

    work_dir: Path
    config: Config
    checkpoint: Path

    @property
    def name(self) -> str:
        """Name of the work dir."""
        return self.work_dir.name

    @property
    def ann_file(self) -> Path:
        """Annotation file of the test set."""
        return annotation_path(next(datasets_of(self.config, "test_dataloader")))

    @property
    def image_dir(self) -> Path:
        """Image folder of the test set."""
        return image_dir(next(datasets_of(self.config, "test_dataloader")))


def read_run(work_dir: str | Path, data_root: str | None = None) -> Run:
    """Read a work dir that mmengine's runner wrote.

    Args:
        work_dir: The folder.
        data_root: Where the data set is now, if it was moved.

    Raises:
        FileNotFoundError: If config or checkpoint is not there.
        ValueError: If there are several configs.
    """
    work_dir = Path(work_dir)
    configs = sorted(work_dir.glob("*.py"))
    pointer = work_dir / "last_checkpoint"
    if not configs or not pointer.is_file():
        missing = "config (.py)" if not configs else "last_checkpoint"
        raise FileNotFoundError(f"{work_dir} is no work dir of a training run: it has no {missing}")
    if len(configs) > 1:
        names = ", ".join(path.name for path in configs)
        raise ValueError(
            f"{work_dir} has several configs ({names}): give each run its own work dir"
        )
    config = Config.fromfile(configs[0])
    if data_root is not None:
        set_data_root(config, data_root)
    # the pointer holds the path of the time; the work dir may have moved
    checkpoint = work_dir / Path(pointer.read_text().strip()).name
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{pointer} names {checkpoint.name}, which is not in {work_dir}")
    return Run(work_dir, config, checkpoint)


def seconds_per_iteration(run: Run) -> float | None:
    """Median time of a training iteration, in seconds, from the run's latest log."""
    logs = sorted(run.work_dir.glob("*/vis_data/scalars.json"))
    for log in reversed(logs):
        lines = log.read_text().splitlines()
        # a killed run leaves half a line
        entries = [json.loads(line) for line in lines if line.endswith("}")]
        times = [entry["time"] for entry in entries if "loss" in entry]
        if times:
            return statistics.median(times)
    return None


def detect(run: Run) -> Path:
    """Run the checkpoint over the test set.

    Returns:
        The COCO results file, ``WORK_DIR/{checkpoint}.bbox.json``.

    Raises:
        FileNotFoundError, ValueError: If the data set or checkpoint is not right.
    """
    check_data(run.config, ("test_dataloader",))
    cfg = test_run(run.config, run.checkpoint, run.work_dir / "test")
    unfinished = run.work_dir / f"{run.checkpoint.stem}.unfinished"
    cfg.test_evaluator = dict(
        type="CocoMetric",
        ann_file=str(run.ann_file),
        format_only=True,
        outfile_prefix=str(unfinished),
    )
    Runner.from_cfg(cfg).test()
    results = run.work_dir / f"{run.checkpoint.stem}.bbox.json"
    os.replace(f"{unfinished}.bbox.json", results)
    return results
