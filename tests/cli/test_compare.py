"""`senet-mm compare` from two configs to a verdict, and its exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from senet_mm.comparison.trainings.plan import State
from tests.comparison.trainings.fake import make


@pytest.fixture
def compared(attempt, more_results_files, more_shapes_root: Path, tmp_path: Path):
    """Compare results files, the first of which finds most."""

    def run(*order: int, options: tuple[object, ...]):
        return attempt(
            "compare", *(more_results_files[i] for i in order), "--num-images", 0,
            "--ann-file", more_shapes_root / "annotations" / "instances_val2017.json",
            "--num-resamples", 100, "--out-dir", tmp_path / "out", *options,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("order", "limit", "code"),
    [
        ((0, 1), (), 3),
        ((0, 1), ("AR", 1), 3),
        ((0, 1), ("AP", 99), 0),
        ((1, 0), (), 0),
    ],
)
def test_fail_if_worse(compared, order, limit, code: int) -> None:
    tried = compared(*order, options=("--fail-if-worse", *limit))
    assert tried.code == code
    said = [line for line in tried.err.splitlines() if " is worse than " in line]
    assert len(said) == (code == 3)
    assert "Report: " in tried.out  # which is written all the same


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--fail-if-worse", "mAP"), "--fail-if-worse: mAP: expected one of AP, AP50,"),
        (("--fail-if-worse", "AP", "1", "2"), "--fail-if-worse: AP 1 2: expected one of"),
        (("--fail-if-worse", "AP", "-1"), "--fail-if-worse: -1: expected a number of 0 or more"),
        (("--seeds", "2"), "--seeds is for --train, which is not given"),
        (("--submitit",), "--submitit is for --train, which is not given"),
        (("--cfg-options", "a=1"), "--cfg-options is for --train, which is not given"),
        (("--tta",), "run0.bbox.json holds detections that are made already: expected a work dir"),
    ],
)
def test_arguments(compared, options: tuple[str, ...], message: str) -> None:
    tried = compared(0, 1, options=options)
    assert tried.code == 2 and len(tried.errors) == 1 and message in tried.errors[0]


@pytest.fixture
def trained(attempt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run ``compare --train`` with trainings of a moment; what it plans and compares is kept."""
    kept: dict[str, Any] = {}

    def run(script: str, state: State, *options: object):
        seeds = make(monkeypatch, tmp_path, script, state, state)
        planned = [replace(one, detector=name) for one in seeds for name in ("plain", "se")]

        def plan(configs: Sequence[str], names: Sequence[str] | None, **given: object):
            kept.update(given, configs=configs, names=names)
            return planned

        def resolve(sources: Sequence[str], names: Sequence[str], **given: object):
            kept.update(compared=list(zip(names, sources, strict=True)), compared_tta=given["tta"])
            raise ValueError("compared")

        monkeypatch.setattr("senet_mm.cli.compare_train.plan_trainings", plan)
        monkeypatch.setattr("senet_mm.cli.compare.resolve", resolve)
        return attempt("compare", "--train", "a.py", "b.py", "--out-dir", tmp_path, *options), kept

    monkeypatch.setattr("senet_mm.comparison.trainings.launchers.visible_gpus", list)
    monkeypatch.setattr("senet_mm.comparison.trainings.run._POLL", 0.02)
    return run


def test_trainings_are_planned_and_compared(trained, tmp_path: Path) -> None:
    options = ("--seeds", 2, "--data-root", "d", "--iou-type", "segm", "--cfg-options", "x=1")
    options += ("--tta",)
    tried, kept = trained("", State.NEW, *options)
    assert (kept["configs"], kept["names"], kept["num_seeds"]) == (["a.py", "b.py"], None, 2)
    assert (kept["data_root"], kept["masks"], kept["options"]) == ("d", True, {"x": 1})
    assert kept["tta"]
    # runs of one name are seeds of one detector
    assert kept["compared"] == [
        (name, str(tmp_path / f"seed-{seed}")) for seed in (0, 1) for name in ("plain", "se")
    ]
    assert kept["compared_tta"] and tried.errors == ["error: compared"]
    assert f"plain, seed 0: to be trained ({tmp_path / 'seed-0'})" in tried.out
    assert "se, seed 1: finished" in tried.err


def test_nothing_is_compared_where_a_training_has_failed(trained) -> None:
    tried, kept = trained("import sys; sys.exit(int(sys.argv[1]))", State.NEW)
    assert (tried.code, kept["num_seeds"]) == (2, 5)
    assert "2 of 4 trainings failed, the others are finished: " in tried.errors[0]
    assert "go on with: senet-mm compare --train a.py b.py" in tried.errors[0]
    assert "compared" not in kept
