"""What a command line names to detect in: pictures, videos, folders, patterns, URLs, cameras."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmdet.apis.det_inferencer import IMG_EXTENSIONS

from ..data.picture_headers import file_problem

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp",
    ".ts", ".mts", ".m2ts", ".ogv", ".m3u8", ".mjpg", ".mjpeg",
)  # fmt: skip
ACCEPTED = "pictures, videos, folders, patterns such as 'a/*.jpg', URLs, or the number of a webcam"
_NAMED = 5  # how many endings a note names
_LONGEST = 100  # characters of a URL that become the name of a file
_WEB = ("http", "https")
_STREAMS = ("rtsp", "rtsps", "rtmp", "udp")
_URL = re.compile(rf"({'|'.join(_WEB + _STREAMS)})://", re.IGNORECASE)
_CAMERA = re.compile(r"[0-9]+|/dev/video[0-9]+")


class Kind(Enum):
    """What a source is."""

    PICTURE = auto()
    VIDEO = auto()  # a file or a stream
    CAMERA = auto()
    WEB = auto()  # what is behind a URL is known once it answers


@dataclass(frozen=True)
class Source:
    """A picture or video.

    Attributes:
        given: Its path or URL, or the number of a camera.
        kind: What it is.
        name: What its results are called: its path below the folder that was given, else the
            name of the file.
    """

    given: str
    kind: Kind
    name: Path

    @property
    def is_video(self) -> bool:
        """Whether it is known to be one; a URL may turn out to be one."""
        return self.kind in (Kind.VIDEO, Kind.CAMERA)


@dataclass
class Found:
    """What was found.

    Attributes:
        sources: In the order given; those of a folder or pattern by their names.
        problems: What cannot be used, a phrase each.
        notes: What is left out on purpose.
    """

    sources: list[Source] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_sources(given: Sequence[str], *, leave_out: Path) -> Found:
    """Find pictures and videos; nothing is opened.

    Of a folder these are the files that end as pictures or videos do, those of its subfolders too,
    but nothing hidden. A file that is named itself is taken whatever it is called.

    Args:
        given: Paths, patterns, URLs, numbers of cameras.
        leave_out: A folder inside which nothing is looked for: that of the results.

    Raises:
        ValueError: If a folder that is given is ``leave_out``.
    """
    found = Found()
    for text in given:
        url = _URL.match(text)
        if os.path.lexists(text):
            _add_path(found, text, leave_out)
        elif url:
            try:
                found.sources.append(_of_url(text, url[1].lower()))
            except ValueError as error:
                found.problems.append(f"{text} is no URL ({error})")
        elif _CAMERA.fullmatch(text):
            name = Path(f"webcam{text}" if text.isdigit() else Path(text).name)
            found.sources.append(Source(text, Kind.CAMERA, name))
        elif glob.has_magic(text):
            matches = sorted(glob.glob(text, recursive=True))
            for match in matches:
                _add_path(found, match, leave_out)
            if not matches:
                found.problems.append(f"{text} matches no file")
        else:
            found.problems.append(f"{text} is not there (expected {ACCEPTED})")
    return found


def _of_url(url: str, scheme: str) -> Source:
    parts = urlsplit(url)
    file = Path(unquote(parts.path).replace("\0", "")).name[-_LONGEST:]
    file = file or parts.netloc.replace(":", "_") or scheme
    is_video = scheme in _STREAMS or _is_video(file)
    return Source(url, Kind.VIDEO if is_video else Kind.WEB, Path(file))


def _add_path(found: Found, path: str, leave_out: Path) -> None:
    if not os.path.isdir(path):
        kind = Kind.CAMERA if _CAMERA.fullmatch(path) and path.startswith("/dev") else None
        _add_file(found, path, Path(Path(path).name), kind)
        return
    if Path(path).resolve() == leave_out.resolve():
        raise ValueError(
            f"--out-dir {leave_out} is {path}, where the next run would take drawings for "
            "pictures: choose another folder"
        )
    before = len(found.sources) + len(found.problems)
    others: list[str] = []
    for file in _files_below(found, Path(path), leave_out.resolve()):
        if file.suffix.lower() in (*IMG_EXTENSIONS, *VIDEO_SUFFIXES):
            _add_file(found, str(file), file.relative_to(path))
        else:
            others.append(file.suffix or "no ending")
    endings = ", ".join(sorted(set(others))[:_NAMED])
    if len(found.sources) + len(found.problems) == before:
        what = f"files of other kinds alone ({endings})" if others else "no files"
        found.problems.append(f"{path} holds {what}: expected pictures or videos")
    elif others:
        found.notes.append(f"{len(others)} files of {path} are no pictures or videos ({endings})")


def _add_file(found: Found, path: str, name: Path, kind: Kind | None = None) -> None:
    problem = None if kind is Kind.CAMERA else file_problem(path)
    if problem:
        found.problems.append(f"{path} {problem}")
    else:
        kind = kind or (Kind.VIDEO if _is_video(path) else Kind.PICTURE)
        found.sources.append(Source(path, kind, name))


def _files_below(found: Found, folder: Path, leave_out: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders, hidden ones left out, by their names."""

    def unreadable(error: OSError) -> None:
        found.problems.append(f"{error.filename} cannot be read ({error.strerror})")

    for place, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and Path(place, name).resolve() != leave_out
        )
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _is_video(name: str) -> bool:
    return Path(name).suffix.lower() in VIDEO_SUFFIXES
