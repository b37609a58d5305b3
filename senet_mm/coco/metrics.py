"""COCO's numbers from a results file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .accumulate import ALL_METRICS, accumulate
from .annotations import read_annotations
from .matching import match
from .results import read_results

# the columns of a table: recall only at 100 detections, and not by size
METRICS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")


def coco_metrics(ann_file: str | Path, results_file: str | Path) -> dict[str, float]:
    """Evaluate detections.

    Args:
        ann_file: COCO instances file.
        results_file: COCO results file, ``.bbox.json`` or ``.segm.json``.

    Returns:
        The :data:`METRICS` in 0..1, equal to COCOeval's; -1 where there is no object to find. No
        detection at all gives 0.

    Raises:
        FileNotFoundError, ValueError: As ``read_annotations`` and ``read_results`` do.
    """
    annotations = read_annotations(ann_file)
    detections = read_results(results_file, annotations)
    if detections.iou_type == "segm":
        annotations = read_annotations(ann_file, masks=True)
    matches = match(annotations, detections)
    values = accumulate(matches, np.ones((1, matches.num_images), dtype=np.int32)).metrics()[0]
    by_name = dict(zip(ALL_METRICS, np.nan_to_num(values, nan=-1).tolist(), strict=True))
    return {name: by_name[name] for name in METRICS}


def explain_absent(metrics: Mapping[str, float]) -> list[str]:
    """A sentence on the numbers of mmdet's COCO metric that are -1, as COCOeval writes 'none'.

    Args:
        metrics: Numbers by name, such as ``coco/bbox_mAP_l``.
    """
    absent = [name for name, value in metrics.items() if value == -1]
    if not absent:
        return []
    sizes = "" if any(name.endswith("mAP") for name in absent) else " of that size"
    return [f"{', '.join(absent)}: -1 says that there is no object{sizes} to find"]
