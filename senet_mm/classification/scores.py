"""The scores of a classifier on a test set, and the file that keeps them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SUFFIX = ".npz"
_KEYS = ("scores", "labels", "images", "classes")
_ORIGIN = "`senet-mm test CONFIG CHECKPOINT --out FILE.npz` writes such a file"


@dataclass(frozen=True)
class Scores:
    """What a classifier says of N images and K classes, and what is right.

    Attributes:
        source: Where it comes from, for messages.
        scores: (N, K) float32, the higher the likelier; of mmpretrain's heads they are
            probabilities.
        labels: (N,) int64, the right class of each image, 0 to K - 1.
        images: (N,) names of the images, of type ``str``.
        classes: (K,) names of the classes, of type ``str``.
    """

    source: str
    scores: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    classes: np.ndarray

    def __post_init__(self) -> None:
        """Check the arrays.

        Raises:
            ValueError: Naming the array and what is wrong with it.
        """
        kinds = dict(scores="f", labels="iu", images="U", classes="U")
        sides = dict(scores=2, labels=1, images=1, classes=1)
        for name in _KEYS:
            array: np.ndarray = getattr(self, name)
            if array.dtype.kind not in kinds[name] or array.ndim != sides[name]:
                raise ValueError(
                    f"{self.source}: {name} is {array.dtype} of the shape {array.shape}; expected "
                    "scores (N, K) as floats, labels (N,) as integers, images (N,) and classes "
                    f"(K,) as text; {_ORIGIN}"
                )
        if self.scores.shape != (len(self.labels), len(self.classes)) or not self.scores.size:
            raise ValueError(
                f"{self.source} has scores of the shape {self.scores.shape}, {len(self.labels)} "
                f"labels and {len(self.classes)} classes; expected (N, K), N and K, both above 0"
            )
        if len(self.images) != len(self.labels):
            raise ValueError(
                f"{self.source} has {len(self.images)} images and {len(self.labels)} labels; "
                "expected as many"
            )
        if not np.isfinite(self.scores).all():
            place = int(np.flatnonzero(~np.isfinite(self.scores).all(axis=1))[0])
            raise ValueError(
                f"{self.source}: the scores of the image {str(self.images[place])!r} are not finite"
            )
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if wrong.size:
            raise ValueError(
                f"{self.source}: the image {str(self.images[wrong[0]])!r} has the label "
                f"{self.labels[wrong[0]]}; expected 0 to {len(self.classes) - 1}"
            )


def write_scores(path: str | Path, scores: Scores) -> None:
    """Write scores as a ``.npz`` file."""
    np.savez(path, **{name: getattr(scores, name) for name in _KEYS})


def read_scores(path: str | Path) -> Scores:
    """Read a file that :func:`write_scores` wrote; nothing in it is run.

    Raises:
        FileNotFoundError: If it is not there.
        ValueError: If it is no such file, or its arrays do not go together.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file: {_ORIGIN}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _KEYS}
    except KeyError as error:
        raise ValueError(f"{path} has no array {error.args[0]}: {_ORIGIN}") from error
    except (OSError, EOFError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        # of a single array, numpy gives one that is no context
        raise ValueError(f"{path} is damaged, or no .npz file of arrays: {_ORIGIN}") from error
    if arrays["scores"].dtype.kind == "f":
        arrays["scores"] = arrays["scores"].astype(np.float32, copy=False)
    return Scores(str(path), **arrays)


def check_same(listed: Sequence[Scores]) -> None:
    """Check that all are of the same images, labels and classes, in the same order.

    Raises:
        ValueError: Naming two that differ, and the first difference.
    """
    first = listed[0]
    for other in listed[1:]:
        for name in ("classes", "images", "labels"):
            ours, theirs = getattr(first, name), getattr(other, name)
            if len(ours) != len(theirs):
                raise ValueError(
                    f"{first.source} has {len(ours)} {name}, {other.source} has {len(theirs)}: "
                    "expected the same, in the same order"
                )
            differ = np.flatnonzero(ours != theirs)
            if differ.size:
                place = differ[0]
                raise ValueError(
                    f"{first.source} and {other.source} differ in {differ.size} {name}; the first "
                    f"is number {place}, {str(ours[place])!r} and {str(theirs[place])!r}: expected "
                    "the same, in the same order"
                )


def mean_of(listed: Sequence[Scores]) -> Scores:
    """The mean of several models' scores, as the paper's competition entry takes it.

    Raises:
        ValueError: As :func:`check_same`.
    """
    check_same(listed)
    first = listed[0]
    total = np.zeros(first.scores.shape, dtype=np.float64)
    for one in listed:
        total += one.scores
    mean = (total / len(listed)).astype(np.float32)
    return Scores("the mean", mean, first.labels, first.images, first.classes)
