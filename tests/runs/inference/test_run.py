from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senet_mm.runs.inference.frames import Frame
from senet_mm.runs.inference.run import LeftOut, Outputs, detect
from senet_mm.runs.inference.sources import Kind, Source
from senet_mm.runs.training.interrupt import Interrupted


class Sample(dict):
    """What a detector found in a picture: its grey, as a score."""

    set_metainfo = dict.update


class GreyDetector:
    """Sees one object, whose score is the picture's grey; takes no picture of 13."""

    classes = ("red",)
    visualizer = None

    def __init__(self) -> None:
        self.batches: list[int] = []

    def load(self, image: np.ndarray) -> dict[str, Any]:
        if image[0, 0] == 13:
            raise RuntimeError("too\nsmall")
        return {"grey": int(image[0, 0])}

    def detect(self, loaded: Sequence[dict[str, Any]]) -> list[Sample]:
        self.batches.append(len(loaded))
        return [Sample(one) for one in loaded]

    def pred2dict(self, sample: Sample, folder: str = "") -> dict[str, Any]:
        if folder:
            path = Path(folder, "preds", Path(sample["img_path"]).stem + ".json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(sample["grey"]))
        return dict(labels=[0], scores=[sample["grey"]], bboxes=[[0, 0, 1, 1]])


def pictures(*names: str) -> list[Source]:
    return [Source(f"in/{name}", Kind.PICTURE, Path(name)) for name in names]


def frames_of(sources: Sequence[Source], stop: int | None = None) -> Iterator[Frame]:
    """Frames of greys from 10 up; an interruption in place of the frame ``stop``."""
    for number, source in enumerate(sources):
        if number == stop:
            raise Interrupted(2)
        yield Frame(source, np.full((4, 6), 10 + number, dtype=np.uint8))


OPTIONS = dict(batch_size=2, score_thr=0.3, draw=False, total=None)


def test_batches_and_files(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    sources = pictures("a.jpg", "b.jpg", "s/a.jpg", "c.jpg", "a.png")
    detector, outputs, left_out = GreyDetector(), Outputs(sources, tmp_path), LeftOut()
    done = detect(detector, frames_of(sources), outputs, left_out, **OPTIONS)
    assert done.startswith("4 pictures in ") and done.endswith(" pictures/s)")
    assert detector.batches == [2, 2]
    [phrase] = left_out.phrases
    assert phrase.startswith("in/c.jpg (6x4) does not pass the config's test pipeline: ")
    assert "too" in phrase and "\n" not in phrase
    assert f"note: {left_out}" in capsys.readouterr().err
    images = json.loads((tmp_path / "images.json").read_text())["images"]
    found = json.loads((tmp_path / "detections.json").read_text())
    assert [image["file_name"] for image in images] == [
        "in/a.jpg", "in/b.jpg", "in/s/a.jpg", "in/a.png",
    ]  # fmt: skip
    assert [entry["score"] for entry in found] == [10, 11, 12, 14]
    preds = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("preds/*")}
    assert preds == {"preds/a.json", "preds/b.json", "s/preds/a.json", "2/preds/a.json"}
    assert str(outputs) == f"{tmp_path}/vis and 2 folders beside it"


def test_what_was_done_before_an_interruption_is_written(tmp_path: Path) -> None:
    sources = pictures("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    frames, outputs = frames_of(sources, stop=2), Outputs(sources, tmp_path)
    with pytest.raises(Interrupted, match="interrupted after 2 pictures in .* results are in"):
        detect(GreyDetector(), frames, outputs, LeftOut(), **OPTIONS)
    assert [entry["score"] for entry in json.loads((tmp_path / "detections.json").read_text())] == [
        10, 11,
    ]  # fmt: skip


def test_no_picture_is_replaced_by_its_drawing(tmp_path: Path) -> None:
    (tmp_path / "vis").mkdir()
    source = Source(f"{tmp_path}/vis/x.jpg", Kind.PICTURE, Path("x.jpg"))
    with pytest.raises(ValueError, match=r"the drawing of .*x.jpg would replace .*vis/x.jpg"):
        Outputs([source], tmp_path)


def test_a_message_names_some(capsys: pytest.CaptureFixture) -> None:
    left_out = LeftOut()
    for number in range(7):
        left_out(f"{number}.jpg is empty")
    assert str(left_out).endswith("4.jpg is empty; and 2 more")
    assert capsys.readouterr().err.count("note: ") == 7
