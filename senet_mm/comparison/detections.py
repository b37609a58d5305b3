"""The detections of all runs of a comparison."""

from __future__ import annotations

from ..coco.results import Detections, read_results
from ..runs.detect import infer
from .inputs import DetectorRun, Inputs


def detect(inputs: Inputs) -> dict[str, tuple[Detections, ...]]:
    """Make the results files that are missing, and read those of all runs.

    Returns:
        By detector, the results file of each of its runs, checked.

    Raises:
        FileNotFoundError: If masks are asked of a detector that has none.
    """
    for inference in inputs.inferences:
        infer(inference)
    return {
        name: tuple(_results_of(run, inputs) for run in runs) for name, runs in inputs.runs.items()
    }


def _results_of(run: DetectorRun, inputs: Inputs) -> Detections:
    path = run.results_file
    if path in inputs.given:
        return inputs.given[path]
    if inputs.iou_type == "segm" and not path.is_file():
        raise FileNotFoundError(f"--iou-type segm: the detector of {run.source} has no masks")
    return read_results(path, inputs.annotations, inputs.iou_type)
