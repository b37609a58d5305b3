from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senet_mm.classification.errors import top_errors
from senet_mm.classification.scores import Scores, check_same, mean_of, read_scores, write_scores

Edit = Callable[[dict[str, Any]], object]


def made(seed: int = 0, source: str = "a.npz") -> Scores:
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(7), 5).astype(np.float32)
    images = np.array([f"cat/{number}.png" for number in range(5)])
    return Scores(source, scores, np.array([0, 3, 6, 1, 1]), images, np.array([*"abcdefg"]))


def test_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_scores(path, made())
    read = read_scores(path)
    assert read.source == str(path) and read.scores.dtype == np.float32
    for name in ("scores", "labels", "images", "classes"):
        assert np.array_equal(getattr(read, name), getattr(made(), name))


def test_the_mean_is_numpys() -> None:
    listed = [made(0, "a"), made(1, "b"), made(2, "c")]
    mean = mean_of(listed)
    expected = np.stack([one.scores for one in listed]).mean(axis=0, dtype=np.float64)
    assert np.allclose(mean.scores, expected, atol=1e-7) and mean.scores.dtype == np.float32
    assert top_errors(mean.scores, mean.labels).keys() == {1, 5}


class Runs:
    """What a pickle could do."""

    def __reduce__(self) -> tuple:
        return (print, ("it ran",))


BROKEN = [
    # (what is changed of the arrays, what the line says)
    (lambda data: data.pop("labels"), "has no array labels"),
    (lambda data: data.update(scores=data["scores"][0]), r"scores is float32 of the shape \(7,\)"),
    (lambda data: data.update(scores=data["scores"].astype(int)), "scores is int64"),
    (lambda data: data.update(labels=data["labels"].astype(float)), "labels is float64"),
    (lambda data: data.update(labels=data["labels"][:3]), r"scores of the shape \(5, 7\), 3 label"),
    (lambda data: data.update(classes=data["classes"][:3]), "7.*, 5 labels and 3 classes"),
    (lambda data: data.update(images=data["images"][:3]), "3 images and 5 labels"),
    (lambda data: data.update(labels=data["labels"] + 1), "'cat/2.png' has the label 7; expected"),
    (lambda data: data["scores"].__setitem__((4, 1), np.nan), "image 'cat/4.png' are not finite"),
    (lambda data: data.update(images=np.array([Runs()] * 5)), "damaged, or no .npz file"),
    (
        lambda data: data.update({k: v[:0] for k, v in data.items() if k != "classes"}),
        "expected .* above 0",
    ),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_broken_arrays(
    tmp_path: Path, capsys: pytest.CaptureFixture, change: Edit, message: str
) -> None:
    arrays = {name: getattr(made(), name) for name in ("scores", "labels", "images", "classes")}
    change(arrays)
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_scores(tmp_path / "x.npz")
    assert str(tmp_path / "x.npz") in str(caught.value) and capsys.readouterr().out == ""


def single_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps(Runs()), single_array()])
def test_other_files(tmp_path: Path, capsys: pytest.CaptureFixture, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(ValueError, match="x.npz is damaged, or no .npz file"):
        read_scores(tmp_path / "x.npz")
    assert capsys.readouterr().out == ""
    with pytest.raises(FileNotFoundError, match="none.npz is no file"):
        read_scores(tmp_path / "none.npz")


def test_a_cut_file(tmp_path: Path) -> None:
    write_scores(tmp_path / "x.npz", made())
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        read_scores(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(classes=np.array([*"abcdefx"])), "differ in 1 classes; .* number 6, 'g' and 'x'"),
        (dict(images=made().images[::-1]), "differ in 4 images; .* number 0, 'cat/0.png'"),
        (dict(labels=np.zeros(5, dtype=np.int64)), "differ in 4 labels; .* number 1, '3' and '0'"),
    ],
)
def test_scores_of_others(change: dict[str, Any], message: str) -> None:
    check_same([made(0), made(1), made(2)])
    with pytest.raises(ValueError, match=f"a.npz and b.npz {message}"):
        mean_of([made(), replace(made(1, "b.npz"), **change)])


def test_scores_of_another_number() -> None:
    one = made()
    fewer = Scores("b.npz", one.scores[:3], one.labels[:3], one.images[:3], one.classes)
    with pytest.raises(ValueError, match="a.npz has 5 images, b.npz has 3: expected the same"):
        check_same([one, fewer])
