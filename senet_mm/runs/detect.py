"""The detections of a run on its test set: what must be made, and making it."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from ..coco.results import IOU_TYPES
from ..io.files import write_whole
from ..weights.read.file import sha256
from .config import inference_config
from .data.check import check_data
from .preflight import prepare
from .tta import use_tta
from .work_dir import Run


@dataclass(frozen=True)
class Inference:
    """A test that is still to be made; all that can be checked before it is checked.

    Attributes:
        run: The run.
        config: What mmengine runs.
        fingerprint: Hashes of the checkpoint, annotations and config that its results are of.
        tta: Whether its images are augmented.
    """

    run: Run
    config: Config
    fingerprint: dict[str, str]
    tta: bool = False


def results_file(run: Run, iou_type: str = "bbox", *, tta: bool = False) -> Path:
    """Where the detections of a run are, or will be.

    ``WORK_DIR/{checkpoint}.bbox.json``; of augmented images ``{checkpoint}.tta.bbox.json``.
    """
    return Path(f"{run.results_stem(tta=tta)}.{iou_type}.json")


def plan(run: Run, *, pictures: bool = True, tta: bool = False) -> Inference | None:
    """What must be detected; None where that was done for this checkpoint, data and config.

    Args:
        run: The run.
        pictures: Whether to read the headers of the pictures.
        tta: Whether to augment the images, see :func:`.tta.use_tta`.

    Raises:
        FileNotFoundError, ValueError: If the data set or checkpoint is not right, or the config
            does not say how to augment.
    """
    check_data(run.config, ("test_dataloader",), pictures=pictures)
    cfg = inference_config(run.config, run.checkpoint, run.work_dir / "test")
    tested = copy.deepcopy(cfg)
    if tta:
        use_tta(tested)
    fingerprint = dict(
        checkpoint=sha256(run.checkpoint),
        annotations=sha256(run.ann_file),
        config=_config_hash(tested),
    )
    if results_file(run, tta=tta).is_file() and _read_record(_record(run, tta)) == fingerprint:
        return None
    cfg.test_evaluator = dict(
        type="CocoMetric",
        ann_file=str(run.ann_file),
        format_only=True,
        outfile_prefix=f"{run.results_stem(tta=tta)}.unfinished",
    )
    prepare(cfg, "test", pictures=pictures)
    if tta:  # not before, or the detector within would not be checked
        use_tta(cfg)
    return Inference(run, cfg, fingerprint, tta)


def infer(inference: Inference) -> None:
    """Run a checkpoint over its test set.

    Writes :func:`results_file`; of a detector with masks, ``.segm.json`` beside it; and
    ``.detected.json``, which tells for which checkpoint, annotations and config they are.
    """
    run, tta = inference.run, inference.tta
    files = [results_file(run, kind, tta=tta) for kind in IOU_TYPES]
    unfinished = [Path(f"{run.results_stem(tta=tta)}.unfinished.{kind}.json") for kind in IOU_TYPES]
    _remove(unfinished)  # of a run that was killed
    Runner.from_cfg(inference.config).test()
    _remove([_record(run, tta), *files])
    for made, file in zip(unfinished, files, strict=True):
        if made.is_file():
            os.replace(made, file)
    write_whole(_record(run, tta), json.dumps(inference.fingerprint))


def detect(run: Run, *, pictures: bool = True) -> Path:
    """Run the checkpoint over the test set, unless that was done already.

    Args:
        run: The run.
        pictures: Whether to read the headers of the pictures.

    Returns:
        The COCO results file with boxes.

    Raises:
        FileNotFoundError, ValueError: As :func:`plan` does.
    """
    inference = plan(run, pictures=pictures)
    if inference is not None:
        infer(inference)
    return results_file(run)


def _record(run: Run, tta: bool) -> Path:
    """The file that tells what was detected."""
    return Path(f"{run.results_stem(tta=tta)}.detected.json")


def _config_hash(cfg: Config) -> str:
    """Hash of the parts of a config that detections depend on."""
    parts = {key: cfg.get(key) for key in ("model", "test_dataloader", "test_cfg")}
    return hashlib.sha256(Config(parts).pretty_text.encode()).hexdigest()


def _read_record(path: Path) -> object:
    """What was detected; None where nothing was, or the record cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
