"""Compare detectors on one annotation file: metrics, their uncertainty, and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmdet.datasets import CocoDataset

from ..coco.annotations import Objects
from ..coco.bootstrap import Bootstrap, check_options
from ..coco.engines import evaluator_of
from ..coco.explanation import Explanation
from ..coco.results import Detections
from ..paper import Detection, detection_row_of
from ..runs.tta import describe_tta
from .batches import batches_note
from .costs import Cost, measure_costs
from .coverage import coverage_note
from .curves import Curves, read_curves
from .detections import detect
from .evaluation import Evaluation, evaluate
from .inputs import Inputs
from .power import Needed, check_power, needed_trainings


@dataclass(frozen=True)
class Detector:
    """One side of a comparison.

    Attributes:
        name: Its name.
        sources: Its runs, as the user gave them.
        results_files: Their detections.
        cost: What it costs, where a config was given and the test pictures can be read.
        paper: The paper's row for its config, if there is one and the data are COCO's.
        precision: Mean precision at the 101 recalls by IoU threshold, the first run's.
        curves: Training loss and AP over time of each run, where there is a log.
        tta: How test images were augmented and results merged, if they were (--tta).
    """

    name: str
    sources: tuple[str, ...]
    results_files: tuple[Path, ...]
    cost: Cost | None
    paper: Detection | None
    precision: dict[str, list[float]]
    curves: tuple[Curves, ...]
    tta: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Detectors on one annotation file.

    Attributes:
        ann_file: The annotation file.
        iou_type: 'bbox' or 'segm'.
        num_images: Its images.
        num_objects: Its objects, crowds left out.
        detectors: The detectors, the baseline first.
        bootstrap: Their metrics, with intervals, and the differences to the baseline.
        explanation: Why they differ.
        remarks: What was out of the ordinary.
        needed: Trainings and images that would show a difference, where that was asked.
    """

    ann_file: Path
    iou_type: str
    num_images: int
    num_objects: int
    detectors: tuple[Detector, ...]
    bootstrap: Bootstrap
    explanation: Explanation
    remarks: tuple[str, ...] = ()
    needed: tuple[Needed, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the detectors."""
        return tuple(detector.name for detector in self.detectors)


def compare(
    inputs: Inputs,
    *,
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    power: Sequence[float] = (),
    threshold: float = 0.3,
    slices: Mapping[str, np.ndarray] | None = None,
    engine: str = "pycocotools",
    workers: int = 1,
) -> tuple[Comparison, Evaluation]:
    """Detect what is not detected yet, evaluate, measure costs, and put it together.

    Args:
        inputs: What to compare, from :func:`.inputs.resolve`.
        num_resamples: Resamples of the bootstrap over images.
        confidence: Confidence of the intervals.
        seed: Seed of the resamples.
        power: Differences in AP, 0..1, for which to tell how many trainings would show them.
        threshold: Score from which on detections count, for precision, recall and confusions.
        slices: Images of each part of the data that is looked at, by their index.
        engine: Whose COCOeval matches, one of :data:`..coco.engines.ENGINES`.
        workers: How many processes match, where it is worth it.

    Returns:
        The comparison, and the evaluation that it was taken from.

    Raises:
        ChildProcessError: If one of several processes was killed.
        FileNotFoundError: If masks are asked of a detector that has none.
        ImportError: If the engine is not installed; before any inference.
        ValueError: If an option is out of its range, or the power is asked of a detector with one
            run; before any inference.
    """
    evaluator_of(engine)
    if power:
        check_power({name: len(runs) for name, runs in inputs.runs.items()})
    check_options(len(inputs.annotations.image_ids), num_resamples, confidence)
    detections = detect(inputs)
    evaluation = evaluate(
        inputs.annotations,
        detections,
        num_resamples=num_resamples,
        confidence=confidence,
        seed=seed,
        training_seeds={name: [run.seed for run in runs] for name, runs in inputs.runs.items()},
        threshold=threshold,
        slices=slices,
        engine=engine,
        workers=workers,
        progress=True,
    )
    first_runs = {name: runs[0].run for name, runs in inputs.runs.items()}
    costs, remarks = measure_costs({name: run for name, run in first_runs.items() if run})
    annotations = inputs.annotations
    return Comparison(
        ann_file=annotations.path,
        iou_type=inputs.iou_type,
        num_images=len(annotations.image_ids),
        num_objects=int((~annotations.objects.is_crowd).sum()),
        detectors=tuple(
            _detector(name, inputs, evaluation, costs.get(name)) for name in inputs.runs
        ),
        bootstrap=evaluation.bootstrap,
        explanation=evaluation.explanation,
        remarks=(
            *_remarks_on_boxes(detections),
            *_remarks_on_coverage(detections, annotations.objects),
            *_remarks_on_batches(inputs),
            *remarks,
        ),
        needed=needed_trainings(
            tuple(inputs.runs), evaluation.bootstrap, len(annotations.image_ids), power
        ),
    ), evaluation


def _detector(name: str, inputs: Inputs, evaluation: Evaluation, cost: Cost | None) -> Detector:
    runs = inputs.runs[name]
    return Detector(
        name=name,
        sources=tuple(run.source for run in runs),
        results_files=tuple(run.results_file for run in runs),
        cost=cost,
        paper=_paper_row(name, inputs),
        precision=evaluation.precision[name],
        curves=tuple(read_curves(run.run, inputs.iou_type) for run in runs if run.run),
        tta=describe_tta(runs[0].run.config) if inputs.tta and runs[0].run else None,
    )


def _paper_row(name: str, inputs: Inputs) -> Detection | None:
    run = inputs.runs[name][0].run
    coco = set(inputs.annotations.classes) == set(CocoDataset.METAINFO["classes"])
    if run is None or not coco or inputs.iou_type != "bbox":
        return None
    return detection_row_of(Path(run.config.filename).stem)


def _remarks_on_boxes(detections: dict[str, tuple[Detections, ...]]) -> list[str]:
    """A sentence per results file with boxes that leave their image."""
    files = {results.path: results for runs in detections.values() for results in runs}
    return [
        f"{results.num_outside:,} of {len(results.score):,} boxes of {path.name} reach over their "
        "image's edge by more than a pixel; they were evaluated as they are."
        for path, results in files.items()
        if results.num_outside
    ]


def _remarks_on_batches(inputs: Inputs) -> list[str]:
    note = batches_note(
        {name: [one.run.config for one in runs if one.run] for name, runs in inputs.runs.items()}
    )
    return [] if note is None else [note]


def _remarks_on_coverage(
    detections: dict[str, tuple[Detections, ...]], objects: Objects
) -> list[str]:
    """A sentence per results file without a detection in many images that have objects."""
    files = {results.path: results for runs in detections.values() for results in runs}
    with_objects = objects.image[~objects.is_crowd].tolist()
    notes = [
        coverage_note(path.name, results.image.tolist(), with_objects)
        for path, results in files.items()
    ]
    return [note for note in notes if note is not None]
