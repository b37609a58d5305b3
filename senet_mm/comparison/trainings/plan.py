"""Which trainings a comparison needs, and how far each is, from what is on the disk."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ...coco.dropped import check_objects
from ...io.files import make_writable
from ...runs.config import load_config, read_config
from ...runs.data.annotation_copies import evaluates_masks, located_metrics
from ...runs.data.check import check_data
from ...runs.preflight import prepare
from ...runs.task import Task, expect_task
from ...runs.training.config_changes import Change, changes
from ...runs.training.early_stopping import has_stopped
from ...runs.training.last_checkpoint import last_whole
from ...runs.training.loggers import add_loggers
from ...runs.training.resume_hook import last_validation
from ...runs.tta import use_tta
from ...runs.work_dir import Run
from ...weights.read.sources import meta_of, release
from ..inputs import shared_annotations


class State(Enum):
    """How far a training is."""

    FINISHED = "finished"
    STARTED = "to be resumed"
    NEW = "to be trained"


@dataclass(frozen=True)
class Training:
    """One training of one detector.

    Attributes:
        detector: Name of the detector.
        seed: Of weights, order and augmentation.
        config: The config file that all seeds of the detector train from.
        work_dir: Where it trains.
        length: Epochs or iterations of the whole.
        unit: ``epoch`` or ``iter``.
        state: How far it is.
    """

    detector: str
    seed: int
    config: Path
    work_dir: Path
    length: int
    unit: str
    state: State

    def __str__(self) -> str:
        return f"{self.detector}, seed {self.seed}"

    @property
    def command(self) -> list[str]:
        """What trains it, or goes on where it was stopped."""
        return [
            *(sys.executable, "-W", "ignore", "-m", "senet_mm.cli", "train", str(self.config)),
            *("--work-dir", str(self.work_dir), "--seed", str(self.seed), "--resume"),
        ]

    @property
    def output(self) -> Path:
        """Where what it prints goes."""
        return self.work_dir / "output.txt"


def plan_trainings(
    configs: Sequence[str],
    names: Sequence[str] | None = None,
    *,
    num_seeds: int,
    out_dir: Path,
    data_root: str | None = None,
    ann_file: str | Path | None = None,
    masks: bool = False,
    options: Mapping[str, Any] | None = None,
    loggers: Sequence[str] = (),
    pictures: bool = True,
    tta: bool = False,
) -> list[Training]:
    """Read configs, check all that can be checked before a training, and look at what is there.

    The config of a detector, with the data root and options in it, is written to
    ``OUT_DIR/NAME``, under its own name; its seeds 0, 1, ... train in ``OUT_DIR/NAME/seed-0`` and
    so on.

    Args:
        configs: Config files or packaged configs, the baseline first.
        names: Names of the detectors; by default the configs' own.
        num_seeds: How many trainings of each.
        out_dir: Where all of it goes.
        data_root: As for :func:`senet_mm.runs.config.load_config`.
        ann_file: What the comparison will be on, if not the test sets of the configs.
        masks: Whether masks will be compared, and not boxes.
        options: Settings for all configs, by path.
        loggers: What the trainings report to too.
        pictures: Whether to read the headers of the pictures.
        tta: Whether detectors will see augmented images, see :func:`senet_mm.runs.tta.use_tta`.

    Returns:
        The trainings, seed by seed, so that what is there after a while can be compared.

    Raises:
        FileNotFoundError, ValueError, OSError, ConnectionError, ImportError: If a config, its data
            or weights are missing or wrong, they cannot be compared, or ``out_dir`` holds
            trainings of other configs.
    """
    loaded = [load_config(config, data_root=data_root, options=options) for config in configs]
    for config, cfg in zip(configs, loaded, strict=True):
        expect_task(cfg, Task.DETECTION, "compare --train")
        _check_complete(config, cfg, masks)
        if tta:
            use_tta(copy.deepcopy(cfg))
    detectors = dict(zip(_names(loaded, configs, names), loaded, strict=True))
    for name, cfg in detectors.items():
        _note_batch(name, cfg)
        add_loggers(cfg, loggers)
    runs = [Run(out_dir / name, cfg, out_dir) for name, cfg in detectors.items()]
    for run in runs:
        check_data(run.config, ("test_dataloader",), pictures=pictures)
    check_objects(shared_annotations(runs, ann_file, masks=masks))
    planned = {
        name: [_training(name, seed, cfg, out_dir) for seed in range(num_seeds)]
        for name, cfg in detectors.items()
    }
    for name, trainings in planned.items():
        _check_unchanged(detectors[name], trainings)
    for name, trainings in planned.items():
        missing = [one for one in trainings if one.state is not State.FINISHED]
        if missing:
            cfg = copy.deepcopy(detectors[name])
            cfg.work_dir = str(missing[0].work_dir)
            prepare(cfg, "train", pictures=pictures)
    release()
    for name, trainings in planned.items():
        file = trainings[0].config
        make_writable(file.parent, str(file.parent), "choose another --out-dir")
        detectors[name].dump(file)
    return [one for seeds in zip(*planned.values(), strict=True) for one in seeds]


def _check_complete(config: str, cfg: Config, masks: bool) -> None:
    if not cfg.get("train_dataloader") or _length(cfg)[0] is None:
        raise ValueError(
            f"{config} says nothing of a training: expected train_dataloader, and train_cfg with "
            "max_epochs or max_iters"
        )
    metrics = [metric for _, metric in located_metrics(cfg, "test_dataloader")]
    if masks and not any(map(evaluates_masks, metrics)):
        raise ValueError(
            f"--iou-type segm: {config} evaluates no masks: expected 'segm' in "
            "test_evaluator.metric"
        )


def _length(cfg: Config) -> tuple[int | None, str]:
    """Epochs or iterations of a training, and which of both."""
    train_cfg = cfg.get("train_cfg") or {}
    unit = "iter" if train_cfg.get("max_epochs") is None else "epoch"
    return train_cfg.get(f"max_{unit}s"), unit


def _note_batch(name: str, cfg: Config) -> None:
    """Tell of a learning rate that is meant for more GPUs than the one of a training here."""
    meant = (cfg.get("auto_scale_lr") or {}).get("base_batch_size")
    batch = cfg.train_dataloader.get("batch_size")
    if meant and batch != meant and not cfg.auto_scale_lr.get("enable"):
        print(
            f"note: {name}: the learning rate is meant for a batch of {meant}, and a training on "
            f"one GPU has {batch}: --cfg-options auto_scale_lr.enable=True scales it",
            file=sys.stderr,
        )


def _names(
    loaded: Sequence[Config], configs: Sequence[str], names: Sequence[str] | None
) -> Sequence[str]:
    if names is None:
        names = [Path(cfg.filename).stem for cfg in loaded]
    if len(names) != len(configs):
        raise ValueError(f"--names has {len(names)} names: expected {len(configs)}, one per config")
    for name in names:
        if Path(name).name != name or name in (".", ".."):
            raise ValueError(f"--names {name!r}: expected the name of a folder")
    twice = [name for name in names if list(names).count(name) > 1]
    if twice:
        raise ValueError(
            f"two configs would be named {twice[0]!r}: give --names, one of its own per config"
        )
    return names


def _training(name: str, seed: int, cfg: Config, out_dir: Path) -> Training:
    folder = out_dir / name
    work_dir = folder / f"seed-{seed}"
    length, unit = _length(cfg)
    assert length is not None  # _check_complete has seen it
    checkpoint = last_whole(work_dir, cfg)[0] if work_dir.is_dir() else None
    if checkpoint is None:
        state = State.NEW
    else:
        done = meta_of(str(checkpoint))
        iteration, counted = last_validation(work_dir)
        stopped = iteration == done.get("iter") and has_stopped(cfg, counted)
        state = State.FINISHED if stopped or done.get(unit, 0) >= length else State.STARTED
    config = folder / Path(cfg.filename).name
    return Training(name, seed, config, work_dir, length, unit, state)


def _check_unchanged(cfg: Config, trainings: Sequence[Training]) -> None:
    """Trainings of another config are neither resumed nor compared.

    Raises:
        ValueError: Naming what has changed.
    """
    for one in trainings:
        if one.state is State.NEW:
            continue
        for file in sorted(one.work_dir.glob("*.py")):
            changed = [*_that_matter(changes(read_config(str(file)).pretty_text, cfg.pretty_text))]
            if changed:
                first = changed[0]
                raise ValueError(
                    f"{one.work_dir} holds a training of another config ({first.key} was "
                    f"{first.before} and is {first.now}"
                    + (f", and {len(changed) - 1} more" if len(changed) > 1 else "")
                    + "): choose another --out-dir or other --names, or remove that folder"
                )


def _that_matter(found: Sequence[Change]) -> Iterator[Change]:
    """Data may have moved, and the seed is the command line's."""
    for change in found:
        if not change.key.endswith("data_root") and change.key != "randomness.seed":
            yield change
