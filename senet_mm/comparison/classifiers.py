"""Compare classifiers by their top-1 and top-5 error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..classification.errors import TOP, ranks
from ..classification.paired import Difference, Discordant, difference, mcnemar
from ..classification.scores import SUFFIX, Scores, check_same, read_scores
from ..runs.class_scores import make_scores, plan_scores
from ..runs.config import read_config
from ..runs.task import Task, task_of
from ..runs.work_dir import Run, config_and_checkpoint, make_run, read_run
from .inputs import cannot_augment


@dataclass(frozen=True)
class Comparison:
    """Classifiers on the same images, the baseline first.

    Attributes:
        runs: The scores of each classifier's trainings, by its name.
        errors: In percent by its name and k, the means over the trainings.
        differences: Of each other classifier, by its name and k: its error minus the baseline's.
        discordant: The exact test of the same, where both have one training.
        confidence: Of the intervals.
        tta: Whether scores are of augmented images.
    """

    runs: dict[str, tuple[Scores, ...]]
    errors: dict[str, dict[int, float]]
    differences: dict[str, dict[int, Difference]]
    discordant: dict[str, dict[int, Discordant]]
    confidence: float
    tta: bool = False


def are_classifiers(sources: Sequence[str]) -> bool:
    """Whether what is to be compared is classifiers.

    Raises:
        ValueError: If some are and some are not.
    """
    found = [_is_classifier(source) for source in sources]
    if any(found) and not all(found):
        others = ", ".join(s for s, one in zip(sources, found, strict=True) if not one)
        raise ValueError(
            f"{others}: expected a classifier ({SUFFIX}, or its work dir) as the others"
        )
    return all(found)


def resolve(
    sources: Sequence[str],
    names: Sequence[str] | None,
    *,
    out_dir: Path,
    data_root: str | None = None,
    pictures: bool = True,
    tta: bool = False,
) -> dict[str, tuple[Scores, ...]]:
    """Read the scores of classifiers, and test those that are given as work dirs or checkpoints.

    All is checked before the first is tested.

    Args:
        sources: Each a file of ``senet-mm test --out FILE.npz``, a work dir, or
            ``CONFIG,CHECKPOINT``; the baseline first.
        names: One for each; equal names are trainings of one classifier from several seeds.
        out_dir: Where the scores of ``CONFIG,CHECKPOINT`` go.
        data_root: Where the data set is now, if it was moved.
        pictures: Whether to read the headers of the pictures.
        tta: Whether to test augmented images, see :func:`senet_mm.runs.tta.use_tta`.

    Raises:
        FileNotFoundError, ValueError: If a source is none of these, there are fewer than two
            classifiers, they are not of the same images and classes, or cannot be augmented.
    """
    if names is not None and len(names) != len(sources):
        raise ValueError(f"--names has {len(names)} names: expected {len(sources)}, one per run")
    given = [_read(source, out_dir, data_root) for source in sources]
    if tta:
        for one in given:
            if isinstance(one, Scores):
                raise cannot_augment(one.source, "scores")
    own = [one.name if isinstance(one, Run) else Path(one.source).stem for one in given]
    named = own if names is None else list(names)
    if len(set(named)) < 2 or (names is None and len(set(named)) < len(named)):
        raise ValueError(
            f"the classifiers would be named {', '.join(named)}: expected two names or more, the "
            "baseline first; --names gives them, one per run (runs of one name are seeds of one "
            "classifier)"
        )
    ready = [one for one in given if isinstance(one, Scores)]
    if ready:
        check_same(ready)
    planned = {
        place: (one, plan_scores(one, pictures=pictures, tta=tta))
        for place, one in enumerate(given)
        if isinstance(one, Run)
    }
    runs: dict[str, tuple[Scores, ...]] = {}
    for place, (name, one) in enumerate(zip(named, given, strict=True)):
        scores = one if isinstance(one, Scores) else make_scores(*planned[place], tta=tta)
        runs[name] = (*runs.get(name, ()), scores)
    check_same([one for listed in runs.values() for one in listed])
    return runs


def compare(
    runs: dict[str, tuple[Scores, ...]],
    *,
    num_resamples: int,
    confidence: float,
    seed: int,
    tta: bool = False,
) -> Comparison:
    """Compare each classifier with the first.

    Args:
        runs: The scores of each classifier's trainings, by its name, the baseline first.
        num_resamples: Of the bootstrap over images.
        confidence: Of its intervals.
        seed: Of its draws.
        tta: Whether the scores are of augmented images, for the report.
    """
    baseline, *others = runs
    first = next(iter(runs.values()))[0]
    errors: dict[str, dict[int, float]] = {name: {} for name in runs}
    differences: dict[str, dict[int, Difference]] = {name: {} for name in others}
    discordant: dict[str, dict[int, Discordant]] = {name: {} for name in others}
    found = {
        name: np.stack([ranks(one.scores, one.labels) for one in listed])
        for name, listed in runs.items()
    }
    for k in (k for k in TOP if k < len(first.classes)):
        missed = {name: each >= k for name, each in found.items()}
        for name, each in missed.items():
            errors[name][k] = 100 * float(each.mean(axis=1).mean())
        for name in others:
            both = missed[baseline], missed[name]
            differences[name][k] = difference(
                *both, num_resamples=num_resamples, confidence=confidence, seed=seed
            )
            if len(both[0]) == len(both[1]) == 1:
                discordant[name][k] = mcnemar(both[0][0], both[1][0])
    return Comparison(runs, errors, differences, discordant, confidence, tta)


def _is_classifier(source: str) -> bool:
    """Whether a source is a classifier's; what is not there is told by who reads it."""
    path = Path(source)
    if path.suffix == SUFFIX:
        return True
    if path.is_dir():
        configs = sorted(path.glob("*.py"))
    else:
        given = config_and_checkpoint(source)
        configs = [Path(given[0])] if given else []
    try:
        return bool(configs) and task_of(read_config(str(configs[0]))) is Task.CLASSIFICATION
    except (FileNotFoundError, ValueError):
        return False


def _read(source: str, out_dir: Path, data_root: str | None) -> Scores | Run:
    path = Path(source)
    if path.suffix == SUFFIX:
        return read_scores(path)
    if path.is_dir():
        return read_run(path, data_root)
    config, _, checkpoint = source.partition(",")
    return make_run(config, checkpoint, out_dir / Path(config).stem, data_root)
