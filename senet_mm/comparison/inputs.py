"""What is compared: work dirs, checkpoints and results files, checked before anything is run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..coco.annotations import Annotations, read_annotations
from ..coco.dropped import check_objects
from ..coco.results import Detections, read_results
from ..coco.same import check_same_annotations
from ..runs.detect import Inference, plan, results_file
from ..runs.task import Task, expect_task
from ..runs.work_dir import Run, config_and_checkpoint, make_run, read_run


@dataclass(frozen=True)
class DetectorRun:
    """One run of one detector: a training of ours, or the results file of any framework.

    Attributes:
        detector: Name of the detector; runs of one name are its seeds.
        source: What the user gave.
        run: Config and checkpoint, if there are any.
        results_file: Its detections; of a run of ours they may be still to be made.
        seed: Of its training, if its config tells it; runs of one seed are a pair.
    """

    detector: str
    source: str
    run: Run | None
    results_file: Path
    seed: int | None = None


@dataclass(frozen=True)
class Inputs:
    """All that a comparison is made of, checked.

    Attributes:
        runs: The runs of each detector by its name, the baseline first.
        annotations: What their detections are evaluated on.
        iou_type: 'bbox' or 'segm'.
        image_dir: Where the images are, if that is known.
        given: Detections of the results files that the user gave, by path.
        inferences: What must be detected first.
        tta: Whether detections are of augmented images.
    """

    runs: dict[str, tuple[DetectorRun, ...]]
    annotations: Annotations
    iou_type: str
    image_dir: Path | None
    given: dict[Path, Detections]
    inferences: tuple[Inference, ...]
    tta: bool = False


def resolve(
    sources: Sequence[str],
    names: Sequence[str] | None = None,
    *,
    out_dir: Path,
    data_root: str | None = None,
    ann_file: str | Path | None = None,
    image_dir: str | Path | None = None,
    iou_type: str = "bbox",
    pictures: bool = True,
    tta: bool = False,
) -> Inputs:
    """Read what a user wants to compare, and check it; no inference is run.

    Args:
        sources: Each a work dir, ``CONFIG,CHECKPOINT``, or a COCO results file (``.json``); the
            first one's detector is the baseline.
        names: Names of the detectors; by default the work dir's, the config's or the file's
            without ``.json``, ``.bbox`` and ``.segm``.
        out_dir: Where detections of ``CONFIG,CHECKPOINT`` go.
        data_root: Where the data set is now, if it was moved.
        ann_file: Annotations, by default those of the runs' test sets; they must be the same.
        image_dir: Their images; by default those of the first run's test set.
        iou_type: 'bbox' or 'segm'.
        pictures: Whether to read the headers of the pictures that detectors will run on.
        tta: Whether detectors see augmented images, see :func:`senet_mm.runs.tta.use_tta`.

    Raises:
        FileNotFoundError, ValueError: If a source is none of these, names do not fit, there are
            fewer than two detectors, no annotations or runs on different ones, a data set,
            checkpoint or results file is missing or wrong, or cannot be augmented.
    """
    listed = _read_sources(sources, names, out_dir / "detections", data_root, iou_type, tta)
    by_detector: dict[str, tuple[DetectorRun, ...]] = {}
    for one in listed:
        by_detector[one.detector] = (*by_detector.get(one.detector, ()), one)
    if len(by_detector) < 2:
        raise ValueError(
            f"only {list(by_detector)} to compare: expected two detectors or more, the baseline "
            "first (runs of one name are seeds of one detector; --names names them)"
        )
    if image_dir is not None and not Path(image_dir).is_dir():
        raise FileNotFoundError(f"--image-dir {image_dir} is no folder")
    ours = [one.run for one in listed if one.run is not None]
    for run in ours:
        expect_task(run.config, Task.DETECTION, "senet-mm compare")
    annotations = shared_annotations(ours, ann_file, masks=iou_type == "segm")
    check_objects(annotations)
    given = {
        one.results_file: read_results(one.results_file, annotations, iou_type)
        for one in listed
        if one.run is None
    }
    planned = {results_file(run).resolve(): plan(run, pictures=pictures, tta=tta) for run in ours}
    if image_dir is None and ours:
        image_dir = ours[0].image_dir
    return Inputs(
        runs=by_detector,
        annotations=annotations,
        iou_type=iou_type,
        image_dir=None if image_dir is None else Path(image_dir),
        given=given,
        inferences=tuple(inference for inference in planned.values() if inference is not None),
        tta=tta,
    )


def cannot_augment(source: str, what: str) -> ValueError:
    """The refusal of a file with results for ``--tta``: the two sides would not be alike."""
    return ValueError(
        f"--tta: {source} holds {what} that are made already: expected a work dir or "
        "CONFIG,CHECKPOINT for all that is compared, or no --tta"
    )


def _read_sources(
    sources: Sequence[str],
    names: Sequence[str] | None,
    slots: Path,
    data_root: str | None,
    iou_type: str,
    tta: bool,
) -> list[DetectorRun]:
    if names is not None and len(names) != len(sources):
        raise ValueError(f"--names has {len(names)} names: expected {len(sources)}, one per run")
    listed = [_read_source(source, slots, data_root, iou_type, tta) for source in sources]
    if names is not None:
        return [replace(one, detector=name) for one, name in zip(listed, names, strict=True)]
    for one in listed:
        same = [other.source for other in listed if other.detector == one.detector]
        if one.run is None and len(same) > 1:
            raise ValueError(
                f"{' and '.join(same)} would all be named {one.detector!r}: give --names, one per "
                "run (runs of one name are seeds of one detector)"
            )
    return listed


def _read_source(
    source: str, slots: Path, data_root: str | None, iou_type: str, tta: bool
) -> DetectorRun:
    given = config_and_checkpoint(source)
    if given is not None:
        config, checkpoint = given
        files = f"{Path(config).resolve()},{Path(checkpoint).resolve()}"
        slot = f"{Path(config).stem}-{hashlib.sha256(files.encode()).hexdigest()[:8]}"
        run = make_run(config, checkpoint, slots / slot, data_root)
        return DetectorRun(
            Path(config).stem, source, run, results_file(run, iou_type, tta=tta), run.seed
        )
    path = Path(source)
    if path.suffix == ".json":
        if not path.is_file():
            raise FileNotFoundError(f"results file {path} not found")
        if iou_type == "bbox" and path.name.endswith(".segm.json"):
            raise ValueError(f"{path} holds masks: give --iou-type segm")
        if tta:
            raise cannot_augment(source, "detections")
        name = path.stem.removesuffix(".bbox").removesuffix(".segm")
        return DetectorRun(name, source, None, path)
    if not path.is_dir():
        raise FileNotFoundError(
            f"{source} not found: expected a work dir, CONFIG,CHECKPOINT, or a COCO results file "
            "(.json)"
        )
    run = read_run(path, data_root)
    name = run.name or path.resolve().name
    return DetectorRun(name, source, run, results_file(run, iou_type, tta=tta), run.seed)


def shared_annotations(
    runs: Sequence[Run], ann_file: str | Path | None, *, masks: bool
) -> Annotations:
    """The annotations; those of the runs' configs must be the same."""
    files = dict.fromkeys(run.ann_file.resolve() for run in runs)
    if ann_file is not None:
        given = read_annotations(ann_file, masks=masks)
        files.pop(given.path.resolve(), None)
        for path in files:
            try:
                check_same_annotations(given, read_annotations(path, masks=masks))
            except ValueError as error:
                raise ValueError(
                    "--ann-file is not the test set of a run, of which its detections are: "
                    f"{error}, by test_dataloader in its config"
                ) from error
        return given
    if not files:
        raise ValueError("results files alone do not tell their annotations: give --ann-file")
    first, *others = (read_annotations(path, masks=masks) for path in files)
    for other in others:
        check_same_annotations(first, other)
    return first
