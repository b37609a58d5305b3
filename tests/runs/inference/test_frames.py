from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from senet_mm.runs.data.pictures import Loader
from senet_mm.runs.inference.frames import Frame, count_frames, read_frames
from senet_mm.runs.inference.sources import find_sources

from .videos import write_video

GREYS = [10 * number for number in range(20)]
Read = Callable[..., tuple[list[Frame], list[str]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read what is given; its frames, and what was left out."""

    def all_frames(*given: object, loader: Loader | None = None) -> tuple[list[Frame], list[str]]:
        found = find_sources([*map(str, given)], leave_out=tmp_path / "out")
        left_out = list(found.problems)
        frames = [*read_frames(found.sources, loader or Loader(), left_out.append)]
        return frames, left_out

    return all_frames


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of random values without loss."""
    values = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "x.png"), values)
    return tmp_path / "x.png"


def test_pictures_and_videos_in_turn(read: Read, picture: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", GREYS)
    frames, left_out = read(picture, video, picture)
    assert [frame.number for frame in frames] == [None, *range(20), None] and not left_out
    assert np.array_equal(frames[0].image, cv2.imread(str(picture)))
    assert [frame.image.mean() for frame in frames[1:-1]] == pytest.approx(GREYS, abs=4)
    assert {(frame.fps, frame.image.shape) for frame in frames[1:-1]} == {(10, (64, 96, 3))}
    sources = find_sources([str(picture), str(video)], leave_out=tmp_path).sources
    assert count_frames(sources) == 21
    assert count_frames([*sources, *find_sources(["99"], leave_out=tmp_path).sources]) is None


def test_frames_are_loaded_as_pictures_are(read: Read, picture: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "v.mp4", GREYS)
    frames, _ = read(picture, video, loader=Loader("grayscale"))
    assert {frame.image.ndim for frame in frames} == {2}


@pytest.mark.parametrize("content", [b"x", b"", "half"])
def test_a_broken_video(read: Read, tmp_path: Path, content: bytes | str) -> None:
    video = write_video(tmp_path / "v.mp4", GREYS)
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    frames, left_out = read(video)
    assert not frames and len(left_out) == 1
    assert left_out[0].startswith(f"{video} {'gives no picture (trunc' if content else 'is empty'}")


def test_a_video_that_ends_too_soon(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "v.avi"  # its index is not needed to read the frames that are there
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (96, 64))
    noise = np.random.default_rng(0).integers(0, 256, (60, 64, 96, 3), dtype=np.uint8)
    for image in noise:
        writer.write(image)
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames, left_out = read(path)
    assert 20 < len(frames) < 40
    assert left_out == [f"{path} ended after {len(frames)} of 60 frames (truncated?)"]


def test_a_camera_that_is_not_there(read: Read) -> None:
    frames, left_out = read("99")
    assert not frames and left_out[0].startswith("webcam 99 gives no picture (it is not there")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server on a folder; below /video files without an ending are videos."""

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = {**SimpleHTTPRequestHandler.extensions_map, "": "video/mp4"}
        log_message = BaseHTTPRequestHandler.log_request = lambda *_: None

    handler = partial(Handler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def test_urls(read: Read, picture: Path, tmp_path: Path, server: str) -> None:
    (tmp_path / "page.html").write_text("<html>hello</html>")
    write_video(tmp_path / "v.mp4", GREYS).rename(tmp_path / "camera")
    urls = [f"{server}/{name}" for name in ("x.png", "page.html", "none.jpg", "camera")]
    frames, left_out = read(*urls, "http://127.0.0.1:9/x.jpg", "http://127.0.0.1:port/")
    assert np.array_equal(frames[0].image, cv2.imread(str(picture)))
    assert [frame.number for frame in frames] == [None, *range(20)]
    assert [frame.image.mean() for frame in frames[1:]] == pytest.approx(GREYS, abs=4)
    page, none, refused, odd = left_out
    assert page.startswith(f"{urls[1]} cannot be read (truncated, or no picture")
    assert none == f"{urls[2]} cannot be loaded (HTTP Error 404: File not found)"
    assert "refused" in refused and "\n" not in refused
    assert odd.startswith("http://127.0.0.1:port/ cannot be loaded (")
