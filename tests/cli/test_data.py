"""`senet-mm data`, and what a training says of the same folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runs.data.layouts.folders import coco_data, write_yaml, write_yolo

from ..attempts import Attempt
from .conftest import SE

Run = Callable[..., Attempt]


def test_a_sound_folder(attempt: Run, shapes_root: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    done = attempt("data", shapes_root, "--out", page, "--num-images", 2)
    assert done.code == 0 and not done.errors
    assert "17 pictures in train, 6 pictures in val; nothing is broken." in done.out
    assert done.out.endswith(f"Page: {page}\n") and page.read_text().count("<img") == 4


def test_a_broken_one(attempt: Run, shapes_root: Path, tmp_path: Path) -> None:
    root = write_yolo(shapes_root, tmp_path / "yolo")
    label = sorted((root / "labels" / "val").iterdir())[0]
    label.write_text("0 0.5 0.5 0.5 0.5\n7 0.5 0.5 0.5 0.5\n")
    done = attempt("data", root, "--out", tmp_path / "page.html")
    assert done.code == 2 and "broken: 1 in val (training refuses it)." in done.out
    assert f"{label}:2: class 7; expected 0 to 6" in done.out
    run = attempt("train", SE, "--data-root", root, "--work-dir", tmp_path / "run")
    assert run.code == 2 and len(run.errors) == 1
    assert f"first {label}:2: class 7; expected 0 to 6" in run.errors[0]


def test_a_split_is_kept_for_later_commands(
    attempt: Run, shapes_root: Path, tmp_path: Path
) -> None:
    root = write_yolo(shapes_root, tmp_path / "yolo")
    names = [one["name"] for one in coco_data(shapes_root, "val")["categories"]]
    write_yaml(root, names=names, train="images/train")
    out = ["--out", tmp_path / "page.html"]
    assert "17 pictures in train; nothing" in attempt("data", root, *out).out
    refused = attempt("train", SE, "--data-root", root, "--work-dir", tmp_path / "run")
    assert refused.code == 2 and "has no pictures to validate on: `senet-mm data" in refused.err
    done = attempt("data", root, *out, "--val-fraction", 0.25)
    assert "13 pictures in train, 4 pictures in val; nothing" in done.out
    assert "13 pictures in train, 4 pictures in val; nothing" in attempt("data", root, *out).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("data nowhere", "nowhere is not there. Expected is COCO's layout"),
        ("data .", "has no annotations. Expected is COCO's layout"),
        ("data . --val-fraction 0.2", "--val-fraction: . has no annotations"),
        ("data . --val-fraction 1", "--val-fraction: 1: expected 0 to 1, both left out"),
        ("data . --val-seed -1", "--val-seed: -1: expected an integer"),
        ("data . --num-images -1", "--num-images: -1: expected an integer of 0"),
        ("data . --out .", "--out . is a folder"),
        (f"train {SE} --val-fraction 0.2", "--val-fraction is for a folder that --data-root names"),
    ],
)
def test_bad_input(
    arguments: str, told: str, attempt: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = attempt(*arguments.split())
    assert done.code == 2 and len(done.errors) == 1 and told in done.errors[0], done.err
