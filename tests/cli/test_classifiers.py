"""A small classifier from its training to the mean of two models' scores."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from PIL import Image

from senet_mm.classification.errors import top_errors
from senet_mm.classification.scores import mean_of, read_scores
from tests.attempts import Attempt
from tests.classifier_data import CLASSES, write_cifar, write_config, write_folders

pytest.importorskip("mmpretrain.models")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Run = Callable[..., Attempt]
MIRRORED = """
transforms = [[dict(type="RandomFlip", prob=p, direction="horizontal") for p in (0.0, 1.0)]]
tta_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="TestTimeAug", transforms=[*transforms, [dict(type="PackInputs")]]),
]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work dirs that no argument names are made where commands are run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    root = write_folders(tmp_path / "data", side=20)
    shutil.copy(root / "val/dog/0.png", root / "val/cat/0.png")  # nobody gets that one right
    return root


@pytest.fixture
def config(folders: Path, tmp_path: Path) -> Path:
    return write_config(tmp_path / "own.py", folders, more=MIRRORED)


@pytest.fixture
def done(attempt: Run) -> Run:
    def run(*arguments: object) -> Attempt:
        outcome = attempt(*arguments)
        assert outcome.code == 0, outcome.err
        return outcome

    return run


def by_torch(config: Path, checkpoint: Path, images: list[Path]) -> np.ndarray:
    """The scores of images, (N, 2, K): as they are and mirrored; mmengine runs nothing."""
    cfg = Config.fromfile(config)
    classifier = MODELS.build(dict(cfg.model, _scope_="mmpretrain")).eval()
    classifier.load_state_dict(torch.load(checkpoint, weights_only=False)["state_dict"])
    pixels = np.stack([np.asarray(Image.open(path), dtype=np.float32) for path in images])
    batch = torch.tensor((pixels - 100) / 50).permute(0, 3, 1, 2)  # RGB, as to_rgb says
    with torch.no_grad():
        (maps,) = classifier.backbone(torch.cat([batch, batch.flip(3)]))
        logits = classifier.head.fc(maps.mean(dim=(2, 3)))
    return logits.softmax(dim=1).view(2, len(images), -1).transpose(0, 1).numpy()


def test_from_training_to_the_mean(done: Run, config: Path, folders: Path, tmp_path: Path) -> None:
    trained = tmp_path / "trained"
    data = ["--data-root", folders]
    done("train", config, "--work-dir", trained, "--seed", 3, *data)
    # from the end of its first epoch on, it comes to the same
    resumed = ["--work-dir", tmp_path / "resumed", "--resume", trained / "epoch_1.pth"]
    done("train", config, "--seed", 3, *data, *resumed)
    whole, again = (
        torch.load(tmp_path / name / "epoch_2.pth", weights_only=False)["state_dict"]
        for name in ("trained", "resumed")
    )
    assert all(torch.equal(whole[key], again[key]) for key in whole)

    saved, checkpoint = trained / "own.py", trained / "epoch_2.pth"
    files = [tmp_path / "plain.npz", tmp_path / "mirrored.npz"]
    drawn = ["--show-dir", tmp_path / "drawn", "--work-dir", tmp_path / "t"]
    told = done("test", saved, checkpoint, "--out", files[0], *drawn)
    done("test", saved, checkpoint, "--tta", "--out", files[1], "--work-dir", trained)
    plain, mirrored = map(read_scores, files)
    assert plain.classes.tolist() == [*CLASSES]
    for name in plain.images:  # in its colour, which leaves a corner without text
        corner = np.asarray(Image.open(tmp_path / "drawn" / name))[-9:, -9:].mean(axis=(0, 1))
        original = np.asarray(Image.open(folders / "val" / name))[-1, -1]
        assert corner.argmax() == original.argmax()
    assert plain.images.tolist() == [f"{name}/{i}.png" for name in CLASSES for i in range(3)]
    assert plain.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    expected = by_torch(saved, checkpoint, [folders / "val" / name for name in plain.images])
    assert np.allclose(plain.scores, expected[:, 0], atol=1e-5)
    assert np.allclose(mirrored.scores, expected.mean(axis=1), atol=1e-5)
    error = 100 * np.mean(expected[:, 0].argmax(axis=1) != plain.labels)
    assert told.out.splitlines()[-1] == f"top-1 error {error:.2f} % on 9 images"

    told = done("average", *files, "--out", tmp_path / "mean.npz")
    mean = read_scores(tmp_path / "mean.npz")
    assert np.array_equal(mean.scores, mean_of([plain, mirrored]).scores)
    rows = [
        line.split("|")[2:4] for line in told.out.splitlines() if ".npz " in line and "|" in line
    ]
    errors = [top_errors(one.scores, one.labels)[1] for one in (plain, mirrored)]
    assert [[cell.strip() for cell in row] for row in rows] == [[f"{e:.2f}", "-"] for e in errors]


def test_compared(done: Run, config: Path, folders: Path, tmp_path: Path) -> None:
    """Two work dirs, and a checkpoint with its config, whose scores are the same."""
    data = ["--data-root", folders]
    for seed in (0, 1):
        work_dir = ["--work-dir", tmp_path / f"seed{seed}", "--seed", seed]
        done("train", config, *work_dir, *data, "--cfg-options", "train_cfg.max_epochs=1")
    runs = [tmp_path / "seed0", tmp_path / "seed1"]
    out = ["--out-dir", tmp_path / "report", *data]
    told = done("compare", *runs, f"{runs[1] / 'own.py'},{runs[1] / 'epoch_1.pth'}", *out)
    scores = [read_scores(run / "epoch_1.npz") for run in runs]
    wrong = [one.scores.argmax(axis=1) != one.labels for one in scores]
    report = json.loads((tmp_path / "report" / "classifiers.json").read_text())
    assert report["errors"]["seed1"] == report["errors"]["own"]
    assert report["errors"]["seed0"] == {"1": pytest.approx(100 * wrong[0].mean())}
    exact = report["mcnemar"]["own"]["1"]
    assert exact["better"] == (wrong[0] & ~wrong[1]).sum()
    assert exact["worse"] == (wrong[1] & ~wrong[0]).sum()
    assert (tmp_path / "report" / "classifiers.md").read_text() in told.out
    augmented = done("compare", *runs, "--tta", "--out-dir", tmp_path / "tta", *data).out
    assert "9 images, 3 classes, with test-time augmentation (--tta)." in augmented
    assert json.loads((tmp_path / "tta" / "classifiers.json").read_text())["tta"]
    for run, one in zip(runs, scores, strict=True):  # beside those without, which stay
        images = [folders / "val" / name for name in one.images]
        expected = by_torch(run / "own.py", run / "epoch_1.pth", images)
        assert np.allclose(read_scores(run / "epoch_1.tta.npz").scores, expected.mean(1), atol=1e-5)
        assert np.allclose(read_scores(run / "epoch_1.npz").scores, expected[:, 0], atol=1e-5)
    named = ["--names", "plain", "se", "se", "--out-dir", tmp_path / "seeds"]
    told = done("compare", *(run / "epoch_1.npz" for run in (*runs, runs[0])), *named)
    means = json.loads((tmp_path / "seeds" / "classifiers.json").read_text())["errors"]
    assert means["se"]["1"] == pytest.approx(50 * (wrong[0].mean() + wrong[1].mean()))
    assert "McNemar" not in told.out and "needs several seeds" not in told.out


def test_cifar(done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_cifar(tmp_path / "data", monkeypatch)
    config = write_config(tmp_path / "own.py", root, "CIFAR10")
    done("train", config, "--work-dir", tmp_path / "w", "--cfg-options", "train_cfg.max_epochs=1")
    out = tmp_path / "scores.npz"
    told = done("test", config, tmp_path / "w" / "epoch_1.pth", "--out", out)
    scores = read_scores(out)
    errors = top_errors(scores.scores, scores.labels)
    line = f"top-1 error {errors[1]:.2f} %, top-5 error {errors[5]:.2f} % on 4 images"
    assert told.out.splitlines()[-1] == line
    assert scores.images.tolist() == ["0", "1", "2", "3"] and scores.classes[3] == "cat"


def test_files_that_do_not_go_together(attempt: Run, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"")
    told = attempt("average", tmp_path / "a.npz", tmp_path / "b.npz")
    assert told.code == 2 and "a.npz is damaged, or no .npz file" in told.errors[0]
    told = attempt("average", tmp_path / "a.npz")
    assert told.code == 2 and "expected two files or more" in told.err
    told = attempt("average", tmp_path / "a.npz", tmp_path / "a.npz", "--out", "mean.csv")
    assert told.code == 2 and "--out mean.csv: expected a .npz file" in told.err
