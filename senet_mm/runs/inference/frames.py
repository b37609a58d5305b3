"""Pictures and the frames of videos, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import cv2
import numpy as np

from ..data.pictures import Loader
from .sources import Kind, Source

_PATIENCE = 30  # seconds that a server may take to answer
_FPS = 25.0  # of a video that does not tell, as many cameras
_MAX_FPS = 1000.0  # more is no rate, but the clock of a file without one
_UNREADABLE = "cannot be read (truncated, or no picture that the loader knows)"
_NO_PICTURE = "it is not there, may not be read, or another program has it"
_NO_FRAME = "truncated, no answer, or no video that OpenCV knows"


@dataclass(frozen=True)
class Frame:
    """A picture, or one of a video.

    Attributes:
        source: Where it comes from.
        image: (H, W, C) or (H, W) as the config's pipeline loads pictures.
        number: Its place in a video, from 0; None for a picture.
        fps: Frames of a second of the video.
    """

    source: Source
    image: np.ndarray
    number: int | None = None
    fps: float = _FPS


def read_frames(
    sources: Sequence[Source], loader: Loader, leave_out: Callable[[str], None]
) -> Iterator[Frame]:
    """Read sources one after the other, each frame when it is asked for.

    Args:
        sources: The sources.
        loader: How the config's pipeline loads pictures.
        leave_out: Called with a phrase on each source that cannot be read, or not to its end.
    """
    for source in sources:
        if source.kind is Kind.PICTURE:
            image = loader.decode(source.given)
            yield from _picture(source, image, leave_out)
        elif source.kind is Kind.WEB:
            yield from _behind_url(source, loader, leave_out)
        else:
            yield from _video(source, loader, leave_out)


def count_frames(sources: Sequence[Source]) -> int | None:
    """How many frames there are, as their headers tell; None where one does not."""
    counts = [1 if s.kind in (Kind.PICTURE, Kind.WEB) else _frames_of_file(s) for s in sources]
    return None if None in counts else sum(filter(None, counts))


def _frames_of_file(source: Source) -> int | None:
    if not Path(source.given).is_file():  # a stream or a camera
        return None
    with _opened(source) as capture:
        return max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)


def _picture(
    source: Source, image: np.ndarray | None, leave_out: Callable[[str], None]
) -> Iterator[Frame]:
    if image is None:
        leave_out(f"{source.given} {_UNREADABLE}")
    else:
        yield Frame(source, image)


def _behind_url(
    source: Source, loader: Loader, leave_out: Callable[[str], None]
) -> Iterator[Frame]:
    """The picture behind a URL; or the video, of which the server says that it is one."""
    try:
        with urlopen(source.given, timeout=_PATIENCE) as answer:
            is_video = answer.headers.get_content_maintype() in ("video", "multipart")
            content = b"" if is_video else answer.read()
    except (OSError, ValueError, HTTPException) as error:
        reason = error.reason if type(error) is URLError else error
        leave_out(f"{source.given} cannot be loaded ({reason})")
        return
    if is_video:
        yield from _video(source, loader, leave_out)
    else:
        yield from _picture(source, loader.decode_bytes(content), leave_out)


def _video(source: Source, loader: Loader, leave_out: Callable[[str], None]) -> Iterator[Frame]:
    number = 0
    with _opened(source) as capture:
        is_open = capture.isOpened()
        fps, expected = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        fps = fps if 0 < fps < _MAX_FPS else _FPS
        while is_open:
            is_there, image = capture.read()
            if not is_there:
                break
            yield Frame(source, loader.as_loaded(image), number, fps)
            number += 1
    if number == 0:
        is_camera = source.kind is Kind.CAMERA
        what, why = ("webcam ", _NO_PICTURE) if is_camera else ("", _NO_FRAME)
        leave_out(f"{what}{source.given} gives no picture ({why})")
    elif expected - number > fps:  # some formats only estimate it
        leave_out(f"{source.given} ended after {number} of {expected:.0f} frames (truncated?)")


@contextmanager
def _opened(source: Source) -> Iterator[cv2.VideoCapture]:
    is_number = source.kind is Kind.CAMERA and source.given.isdigit()
    capture = cv2.VideoCapture(int(source.given) if is_number else source.given)
    try:
        yield capture
    finally:
        capture.release()
