"""COCO's numbers from a results file, by pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# our names for entries of COCOeval.stats
_STATS = {"AP": 0, "AP50": 1, "AP75": 2, "APs": 3, "APm": 4, "APl": 5, "AR": 8}
METRICS = tuple(_STATS)


def coco_metrics(ann_file: str | Path, results_file: str | Path) -> dict[str, float]:
    """Evaluate detections.

    Args:
        ann_file: COCO instances file.
        results_file: COCO results file (``.bbox.json``): a list of dicts with
            image_id, category_id, bbox and score.

    Returns:
        AP, AP50, AP75, APs, APm, APl and AR at 100 detections, in 0..1; -1
        where there is no object to find. No detection at all gives 0.
    """
    detections = json.loads(Path(results_file).read_bytes())
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(ann_file))
        found = truth.loadRes(detections) if detections else COCO()
        if not detections:
            found.dataset = dict(truth.dataset, annotations=[])
            found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(evaluation.stats[index]) for name, index in _STATS.items()}
