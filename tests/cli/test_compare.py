"""`senet-mm compare` from two configs to a verdict, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.comparison.trainings.plan import State
from tests.comparison.runs_on_disk import write_run
from tests.comparison.trainings.fake import make


@pytest.fixture
def compared(attempt, results_files, shapes_root: Path, tmp_path: Path):
    """Compare results files, the first of which finds most."""

    def run(*order: int, options: tuple[object, ...]):
        return attempt(
            "compare", *(results_files[i] for i in order), "--num-images", 0,
            "--ann-file", shapes_root / "annotations" / "instances_val2017.json",
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
    ],
)
def test_arguments(compared, options: tuple[str, ...], message: str) -> None:
    tried = compared(0, 1, options=options)
    assert tried.code == 2 and len(tried.errors) == 1 and message in tried.errors[0]


@pytest.mark.slow
def test_from_configs_to_the_comparison(
    attempt, monkeypatch: pytest.MonkeyPatch, shapes_root: Path, tmp_path: Path
) -> None:
    """Work dirs that a training leaves are compared by name and seed."""
    out = tmp_path / "out"
    given: dict[str, object] = {}

    def plan(configs, names, **options):
        given.update(options, configs=configs, names=names)
        trainings = make(
            monkeypatch, out, "import sys; sys.exit(int(sys.argv[1]))", State.NEW, State.NEW
        )
        return trainings

    monkeypatch.setattr("senet_mm.cli.compare_train.plan_trainings", plan)
    monkeypatch.setattr("senet_mm.comparison.trainings.launchers.visible_gpus", list)
    line = ["compare", "--train", "a.py", "b.py", "--out-dir", out, "--seeds", 2]
    tried = attempt(*line, "--cfg-options", "x=1")
    assert (given["configs"], given["num_seeds"]) == (["a.py", "b.py"], 2)
    assert given["options"] == {"x": 1}
    assert tried.code == 2
    assert "1 of 2 trainings failed" in tried.errors[0]
    assert "go on with: senet-mm compare --train a.py b.py" in tried.errors[0]
    # all is there
    out.mkdir(exist_ok=True)
    for seed in (0, 1):
        work_dir = out / f"seed-{seed}"
        for file in work_dir.iterdir():
            file.unlink()
        work_dir.rmdir()
        write_run(work_dir, shapes_root)
    finished = make(monkeypatch, out, "", State.FINISHED, State.FINISHED)
    monkeypatch.setattr("senet_mm.cli.compare_train.plan_trainings", lambda *_, **__: finished)
    tried = attempt(*line)
    assert tried.errors == [
        "error: only ['se'] to compare: expected two detectors or more, the baseline first (runs "
        "of one name are seeds of one detector; --names names them)"
    ]
