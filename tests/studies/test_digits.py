"""The digits: what is written, what is saved, and what is said of the errors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from studies.digits import SIDE, error, summary, train, write_digits


def test_the_summary_is_students_of_paired_differences() -> None:
    pytest.importorskip("scipy")
    printed = summary([3.0, 4.0, 5.0, 4.0], [2.0, 3.5, 3.5, 4.0])
    # differences -1, -.5, -1.5, 0: mean -.75, deviation .645; t(3) = 3.182
    assert "plain         3.00    4.00    5.00    4.00   mean 4.00, deviation 0.82" in printed
    assert "mean -0.75, deviation 0.65" in printed
    assert printed.endswith("difference -0.75, 95 % interval -1.78 to +0.28")


def test_the_error_of_a_file(tmp_path: Path) -> None:
    scores = np.eye(4, dtype=np.float32)[[0, 1, 2, 3]]
    np.savez(tmp_path / "one.npz", scores=scores, labels=np.array([0, 1, 2, 2]))
    assert error(tmp_path / "one.npz") == 25


def test_the_digits_are_scikit_learns_in_two_halves(tmp_path: Path) -> None:
    digits = pytest.importorskip("sklearn.datasets").load_digits()
    write_digits(tmp_path / "data")
    seen = set()
    for split in ("train", "val"):
        for label in range(10):
            paths = sorted((tmp_path / "data" / split / str(label)).iterdir())
            assert abs(len(paths) - (digits.target == label).sum() / 2) <= 1
            assert all(digits.target[int(path.stem)] == label for path in paths)
            seen |= {int(path.stem) for path in paths}
    assert seen == {*range(1797)}
    image = cv2.imread(str(paths[0]), cv2.IMREAD_GRAYSCALE)
    assert image.shape == (SIDE, SIDE)
    small = cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA)
    original = digits.images[int(paths[0].stem)] * 255 / 16
    assert np.corrcoef(small.ravel(), original.ravel())[0, 1] > 0.99


@pytest.mark.slow
def test_a_training_saves_scores_and_is_not_repeated(tmp_path: Path) -> None:
    pytest.importorskip("mmpretrain")
    data_root = tmp_path / "data"
    for split, count in (("train", 4), ("val", 2)):
        for label in range(10):
            folder = data_root / split / str(label)
            folder.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(folder / f"{number}.png"), np.full((SIDE, SIDE, 3), 20 * label))
    settings = dict(data_root=data_root, work_dir=tmp_path, epochs=1)
    path = train("se_resnet110_digits", 1, **settings)
    with np.load(path) as saved:
        assert saved["scores"].shape == (20, 10) and saved["scores"].dtype == np.float32
        np.testing.assert_allclose(saved["scores"].sum(axis=1), 1, rtol=1e-5)
        assert saved["labels"].tolist() == [label for label in range(10) for _ in range(2)]
        assert saved["images"][3] == "val/1/1.png"
        assert saved["classes"].tolist() == [str(label) for label in range(10)]
    before = path.stat().st_mtime_ns
    assert train("se_resnet110_digits", 1, **settings) == path
    assert path.stat().st_mtime_ns == before
