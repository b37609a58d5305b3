"""Detect in pictures and videos, and write what was found."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mmdet.structures import DetDataSample
from tqdm import tqdm

from ...compat.versions import one_line
from ...io.outputs import spread
from ..training.interrupt import Interrupted
from .detector import Detector
from .drawing import Drawings, drawing_name
from .frames import Frame
from .results import coco_results
from .sources import Source

_NAMED = 5  # how many sources a message names


class LeftOut:
    """What costs a picture and not the run.

    Attributes:
        phrases: What was left out, and why.
    """

    def __init__(self) -> None:
        self.phrases: list[str] = []

    def __call__(self, phrase: str) -> None:
        """Note it, and tell."""
        self.phrases.append(phrase)
        tqdm.write(f"note: {phrase}", file=sys.stderr)

    def __str__(self) -> str:
        more = len(self.phrases) - _NAMED
        return "; ".join(self.phrases[:_NAMED]) + (f"; and {more} more" if more > 0 else "")


class Outputs:
    """Where results of sources go.

    Its ``str`` says where the drawings are.

    Args:
        sources: All sources of the run.
        out_dir: The folder of the run.

    Raises:
        ValueError: If a drawing would replace what it is of.
    """

    def __init__(self, sources: Sequence[Source], out_dir: Path) -> None:
        self.out_dir = out_dir
        folders = spread([source.name for source in sources], out_dir)
        self._folders = dict(zip(map(id, sources), folders, strict=True))
        given = {Path(source.given).resolve() for source in sources}
        for source, folder in zip(sources, folders, strict=True):
            drawing = folder / "vis" / drawing_name(source.name.name, is_video=source.is_video)
            if drawing.resolve() in given:
                raise ValueError(
                    f"--out-dir {out_dir}: the drawing of {source.given} would replace {drawing}, "
                    "which is to be looked at: choose another folder"
                )

    def __str__(self) -> str:
        others = len({*self._folders.values()} - {self.out_dir})
        beside = f" and {others} folder{'s' * (others > 1)} beside it" if others else ""
        return f"{self.out_dir}/vis{beside}"

    def folder(self, source: Source) -> Path:
        """The folder of a source's results."""
        return self._folders[id(source)]


def detect(
    detector: Detector,
    frames: Iterable[Frame],
    outputs: Outputs,
    left_out: LeftOut,
    *,
    batch_size: int,
    score_thr: float,
    draw: bool,
    total: int | None,
) -> str:
    """Detect in frames; write drawings, mmdet's JSON of each picture, and COCO's of all.

    Args:
        detector: The detector.
        frames: The frames.
        outputs: Where results go.
        left_out: Told of pictures that the test pipeline cannot take.
        batch_size: Frames that the detector sees at once.
        score_thr: The lowest score that is drawn; the files hold all.
        draw: Whether to draw.
        total: How many frames there are, if that is known.

    Returns:
        A sentence on how many there were, and how fast that was.

    Raises:
        Interrupted: Once the results of what was done are written.
    """
    start, count, stopped = time.perf_counter(), 0, None
    with ExitStack() as stack:
        results = stack.enter_context(coco_results(outputs.out_dir, detector.classes))
        drawings = Drawings(detector.visualizer, score_thr)
        stack.enter_context(drawings)
        bar = stack.enter_context(tqdm(total=total, unit=" pictures", smoothing=0.1))
        try:
            for batch in _batches(_loaded(detector, frames, left_out), batch_size):
                samples = detector.detect([loaded for _, loaded in batch])
                for (frame, _), sample in zip(batch, samples, strict=True):
                    folder = outputs.folder(frame.source)
                    height, width = frame.image.shape[:2]
                    found = _save(detector, frame, sample, folder)
                    results.add(frame.source.given, (width, height), found, frame.number)
                    if draw:
                        drawings.add(frame, sample, folder / "vis")
                    count += 1
                    bar.update()
        except Interrupted as stop:
            stopped = stop
    seconds = time.perf_counter() - start
    done = f"{count} pictures in {seconds:.1f} s ({count / seconds:.3g} pictures/s)"
    if stopped:
        message = f"interrupted after {done}, whose results are in {outputs.out_dir}"
        raise Interrupted(stopped.number, message) from stopped
    return done


def _loaded(
    detector: Detector, frames: Iterable[Frame], left_out: LeftOut
) -> Iterator[tuple[Frame, dict[str, Any]]]:
    for frame in frames:
        try:
            loaded = detector.load(frame.image)
        except Exception as error:  # each transform raises what it likes
            height, width = frame.image.shape[:2]
            left_out(
                f"{frame.source.given} ({width}x{height}) does not pass the config's test "
                f"pipeline: {one_line(error)}"
            )
        else:
            yield frame, loaded


def _batches(loaded: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while batch := [*itertools.islice(loaded, size)]:
        yield batch


def _save(detector: Detector, frame: Frame, sample: DetDataSample, folder: Path) -> dict[str, Any]:
    """Write mmdet's JSON of a picture; a video has none of each frame."""
    if frame.number is not None:
        return detector.pred2dict(sample)
    sample.set_metainfo({"img_path": str(frame.source.name)})  # by which mmdet calls the file
    return detector.pred2dict(sample, str(folder))
