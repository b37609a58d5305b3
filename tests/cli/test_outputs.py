"""What commands write: no picture replaces another, and each is where the help says."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from ..attempts import Attempt
from .conftest import SE

Run = Callable[..., Attempt]


@pytest.fixture(scope="module")
def same_names(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded set, its validation pictures in two subfolders that have the same names."""
    root = tmp_path_factory.mktemp("same") / "shapes"
    shutil.copytree(shapes_root, root)
    path = root / "annotations" / "instances_val2017.json"
    content = json.loads(path.read_text())
    for number, image in enumerate(content["images"]):
        name = f"{'ab'[number % 2]}/{number // 2}.jpg"
        (root / "val2017" / name).parent.mkdir(exist_ok=True)
        (root / "val2017" / image["file_name"]).rename(root / "val2017" / name)
        image["file_name"] = name
    path.write_text(json.dumps(content))
    return root


@pytest.mark.slow
def test_drawings_of_equal_names(
    attempt: Run, same_names: Path, se_checkpoint: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["--data-root", same_names, "--work-dir", "w", "--show-dir", "drawn", "--out", "p.pkl"]
    tried = attempt("test", SE, se_checkpoint, *given)
    assert tried.code == 0, tried.err
    drawn = sorted(path.relative_to("drawn").as_posix() for path in Path("drawn").rglob("*.*"))
    assert drawn == ["a/0.jpg", "a/1.jpg", "a/2.jpg", "b/0.jpg", "b/1.jpg", "b/2.jpg"]
    assert len(pickle.loads(Path("p.pkl").read_bytes())) == 6
    assert not list(Path().rglob("*unfinished*"))
    assert "-1 says that there is no object of that size to find" in tried.out


def test_inference_on_pictures_of_one_name(
    attempt: Run, shapes_root: Path, se_checkpoint: Path, tmp_path: Path
) -> None:
    first, second = sorted((shapes_root / "val2017").iterdir())[:2]
    shutil.copy(first, tmp_path / "x.jpg")
    cv2.imwrite(str(tmp_path / "x.png"), cv2.imread(str(second)))
    pictures, out = [tmp_path / "x.jpg", tmp_path / "x.png"], tmp_path / "out"
    tried = attempt("infer", SE, se_checkpoint, *pictures, "--out-dir", out)
    assert tried.code == 0, tried.err
    made = sorted(path.relative_to(out).as_posix() for path in out.rglob("*/*.*"))
    assert made == ["2/preds/x.json", "2/vis/x.png", "preds/x.json", "vis/x.jpg"]


def test_infer_refuses_a_folder_that_takes_no_files(
    attempt: Run, shapes_root: Path, se_checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    picture = next((shapes_root / "val2017").iterdir())
    tried = attempt("infer", SE, se_checkpoint, picture, "--out-dir", tmp_path / "file" / "x")
    assert tried.code == 2 and "choose another --out-dir" in tried.errors[0]
