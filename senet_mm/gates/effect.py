"""What dropping gates costs in AP."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

from ..coco.metrics import METRICS, coco_metrics
from ..io.tables import markdown
from ..runs.detect import detect
from ..runs.work_dir import Run
from .drop import Dropped


def compare_dropped(
    cfg: Config,
    checkpoint: str | Path,
    dropped: Dropped,
    work_dir: Path,
    *,
    parameters: int,
    pictures: bool = True,
) -> str:
    """Evaluate a checkpoint with and without the gates that were dropped.

    Args:
        cfg: The config of the checkpoint.
        checkpoint: The checkpoint with all its gates.
        dropped: The one without.
        work_dir: Where the detections of the first go.
        parameters: Parameters of the first.
        pictures: Whether to read the headers of the test set's pictures first.

    Returns:
        A Markdown table: COCO metrics in percent and parameters, before, after
        and the difference.
    """
    runs = {
        "original": (Run(work_dir, cfg, Path(checkpoint)), parameters),
        "dropped": (
            Run(dropped.config.parent, Config.fromfile(dropped.config), dropped.checkpoint),
            dropped.parameters,
        ),
    }
    rows = [["", *METRICS, "params"], ["---"] + ["---:"] * (len(METRICS) + 1)]
    values = {}
    for name, (run, count) in runs.items():
        metrics = coco_metrics(run.ann_file, detect(run, pictures=pictures))
        values[name] = [metrics[metric] for metric in METRICS], count
        rows.append([name, *map(_percent, values[name][0]), f"{count:,}"])
    (before, count_before), (after, count_after) = values.values()
    differences = [
        "-" if old < 0 or new < 0 else f"{100 * (new - old):+.2f}"
        for old, new in zip(before, after, strict=True)
    ]
    rows.append(["difference", *differences, f"{count_after - count_before:+,}"])
    return markdown(rows)


def _percent(value: float) -> str:
    return "-" if value < 0 else f"{100 * value:.2f}"
