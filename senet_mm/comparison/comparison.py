"""Compare detectors on one annotation file: metrics, their uncertainty, and cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet.datasets import CocoDataset

from ..coco.accumulate import precision_curves
from ..coco.bootstrap import Bootstrap, bootstrap, check_options
from ..coco.matches import Matches, match
from ..coco.results import Detections, read_results
from ..coco.truth import Truth, check_same_truth, read_truth
from ..paper import Detection, detection_row_of
from ..runs.preflight import check_data
from .costs import Cost, measure_costs
from .coverage import coverage_note
from .curves import Curves, read_curves
from .inputs import Entry


@dataclass(frozen=True)
class Detector:
    """One side of a comparison.

    Attributes:
        name: Its name.
        sources: Its runs, as the user gave them.
        results_files: Their detections.
        cost: What it costs, where a config was given and the input size is known.
        paper: The paper's row for its config, if there is one and the data are COCO's.
        precision: Mean precision at the 101 recalls by IoU threshold, the first run's.
        curves: Training loss and AP over time of each run, where there is a log.
    """

    name: str
    sources: tuple[str, ...]
    results_files: tuple[Path, ...]
    cost: Cost | None
    paper: Detection | None
    precision: dict[str, list[float]]
    curves: tuple[Curves, ...]


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
        remarks: What was out of the ordinary.
    """

    ann_file: Path
    iou_type: str
    num_images: int
    num_objects: int
    detectors: tuple[Detector, ...]
    bootstrap: Bootstrap
    remarks: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the detectors."""
        return tuple(detector.name for detector in self.detectors)


@dataclass(frozen=True)
class Evaluated:
    """What pictures of a comparison are drawn from.

    Attributes:
        truth: The annotations.
        detections: Of the first run of each detector.
        matches: Of every run of each detector.
        image_dir: Where the images are, if that is known.
    """

    truth: Truth
    detections: tuple[Detections, ...]
    matches: tuple[tuple[Matches, ...], ...]
    image_dir: Path | None


def compare(
    entries: Sequence[Entry],
    *,
    ann_file: str | Path | None = None,
    image_dir: str | Path | None = None,
    iou_type: str = "bbox",
    num_resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[Comparison, Evaluated]:
    """Evaluate what is not evaluated yet, and compare. Bad input fails before any inference.

    Args:
        entries: The runs; the first one's detector is the baseline.
        ann_file: Annotations, by default those of the runs' test sets; they must be the same.
        image_dir: Their images; by default those of the first run's test set.
        iou_type: 'bbox' or 'segm'.
        num_resamples: Resamples of the bootstrap over images.
        confidence: Confidence of the intervals.
        seed: Seed of the resamples.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If there are fewer than two detectors, no annotations, runs on different
            annotations, wrong results, or an option is out of its range.
    """
    groups = _by_name(entries)
    if image_dir is not None and not Path(image_dir).is_dir():
        raise FileNotFoundError(f"--image-dir {image_dir} is no folder")
    truth = _read_truth(entries, ann_file)
    check_options(len(truth.image_ids), num_resamples, confidence)
    read = _read_detections(entries, truth, iou_type)
    detections = [[read[entry.source] for entry in group] for group in groups.values()]
    matches = tuple(
        tuple(match(truth, results, progress=True) for results in group) for group in detections
    )
    costs, remarks = measure_costs(
        {name: group[0].run for name, group in groups.items() if group[0].run}
    )
    is_coco = iou_type == "bbox" and set(truth.classes) == set(CocoDataset.METAINFO["classes"])
    detectors = tuple(
        Detector(
            name=name,
            sources=tuple(entry.source for entry in group),
            results_files=tuple(results.path for results in found),
            cost=costs.get(name),
            paper=_paper_row(group[0]) if is_coco else None,
            precision={
                key: [float(value) for value in curve]
                for key, curve in precision_curves(runs[0]).items()
            },
            curves=tuple(read_curves(entry.run) for entry in group if entry.run),
        )
        for (name, group), found, runs in zip(groups.items(), detections, matches, strict=True)
    )
    result = bootstrap(
        matches, num_resamples=num_resamples, confidence=confidence, seed=seed, progress=True
    )
    first_run = next((entry.run for entry in entries if entry.run), None)
    if image_dir is None and first_run is not None:
        image_dir = first_run.image_dir
    comparison = Comparison(
        ann_file=truth.path,
        iou_type=iou_type,
        num_images=len(truth.image_ids),
        num_objects=sum(not a["iscrowd"] for a in truth.coco.dataset["annotations"]),
        detectors=detectors,
        bootstrap=result,
        remarks=(
            *filter(None, map(_outside, read.values())),
            *filter(None, (_uncovered(results, truth) for results in read.values())),
            *remarks,
        ),
    )
    first = tuple(found[0] for found in detections)
    return comparison, Evaluated(truth, first, matches, image_dir and Path(image_dir))


def _by_name(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.name, []).append(entry)
    if len(groups) < 2:
        raise ValueError(
            f"only {list(groups)} to compare: expected two detectors or more, the baseline first "
            "(runs of one name are seeds of one detector; --names names them)"
        )
    return groups


def _read_truth(entries: Sequence[Entry], ann_file: str | Path | None) -> Truth:
    """The annotations; those of the runs' configs must be the same."""
    files = dict.fromkeys(entry.run.ann_file.resolve() for entry in entries if entry.run)
    if ann_file is not None:
        given = read_truth(ann_file)
        files.pop(given.path.resolve(), None)
        for path in files:
            try:
                check_same_truth(given, read_truth(path))
            except ValueError as error:
                raise ValueError(
                    "--ann-file is not the test set of a run, of which its detections are: "
                    f"{error}, by test_dataloader in its config"
                ) from error
        return given
    if not files:
        raise ValueError("results files alone do not tell their annotations: give --ann-file")
    first, *others = (read_truth(path) for path in files)
    for other in others:
        check_same_truth(first, other)
    return first


def _read_detections(
    entries: Sequence[Entry], truth: Truth, iou_type: str
) -> dict[str, Detections]:
    """Detections by source; those that need no inference come first, so that they fail first."""
    for entry in entries:
        if entry.run:
            check_data(entry.run.config, ("test_dataloader",))
    return {
        entry.source: read_results(entry.results_file(iou_type), truth, iou_type)
        for entry in sorted(entries, key=lambda entry: entry.results is None)
    }


def _outside(detections: Detections) -> str | None:
    if not detections.num_outside:
        return None
    return (
        f"{detections.num_outside:,} of {len(detections.score):,} boxes of {detections.path.name} "
        "reach over their image's edge by more than a pixel; they were evaluated as they are."
    )


def _uncovered(detections: Detections, truth: Truth) -> str | None:
    index = {key: number for number, key in enumerate(truth.image_ids)}
    objects = [a for a in truth.coco.dataset["annotations"] if not a["iscrowd"]]
    return coverage_note(
        detections.path.name,
        detections.image.tolist(),
        [index[annotation["image_id"]] for annotation in objects],
    )


def _paper_row(entry: Entry) -> Detection | None:
    return detection_row_of(Path(entry.run.config.filename).stem) if entry.run else None


def seed_deviation(values: Sequence[float | None]) -> float | None:
    """Standard deviation over the seeds of a detector; None for a single one."""
    defined = [value for value in values if value is not None]
    return statistics.stdev(defined) if len(defined) > 1 else None
