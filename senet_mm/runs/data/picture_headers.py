"""What the first bytes of a picture say, without decoding it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_ORIENTATION = 0x0112  # of EXIF; above 4 the sides change places
_BITS_PER_SAMPLE = 258  # of TIFF
_TAIL = 64
# what tells that a file is whole: JPEG's end marker, PNG's last chunk
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
_IMAGE_HEADER = 26  # bytes up to the bit depth of a PNG


@dataclass(frozen=True)
class Header:
    """The header of a picture.

    Attributes:
        width: Pixels of a row as it is stored.
        height: Rows as they are stored.
        orientation: How the camera was turned, 1 to 8 as in EXIF; 1 is upright.
        bits: Bits of a channel.
        is_whole: Whether the file ends as its format does, which a truncated one does not. False
            for formats of which this cannot be told.
    """

    width: int
    height: int
    orientation: int
    bits: int
    is_whole: bool

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height once it is turned as EXIF says."""
        turned = self.orientation > 4
        return (self.height, self.width) if turned else (self.width, self.height)


def file_problem(path: str | Path) -> str | None:
    """Why a path cannot be a picture, found without opening it: a pipe would never end."""
    try:
        state = os.stat(path)
    except FileNotFoundError:
        return "is not there"
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISREG(state.st_mode):
        return "is a folder" if stat.S_ISDIR(state.st_mode) else "is no regular file"
    return None if state.st_size else "is empty"


def read_header(path: str | Path) -> Header | None:
    """The header of a picture; None where Pillow does not know the format."""
    try:
        with open(path, "rb") as file:
            start = file.read(_IMAGE_HEADER)
            file.seek(0)
            with Image.open(file) as picture:
                kind, (width, height) = picture.format, picture.size
                orientation = int(picture.getexif().get(_ORIENTATION, 1))
                bits = _bits(picture, start)
            file.seek(-min(_TAIL, file.seek(0, os.SEEK_END)), os.SEEK_END)
            is_whole = kind in _ENDS and _ENDS[kind] in file.read()
    except Exception:  # Pillow raises many kinds; whatever it is, decoding will tell
        return None
    return Header(width, height, orientation if 1 <= orientation <= 8 else 1, bits, is_whole)


def _bits(picture: Image.Image, start: bytes) -> int:
    """Bits of a channel, of which Pillow tells only some."""
    if picture.format == "PNG":
        return start[24]
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(_BITS_PER_SAMPLE, (8,)))  # type: ignore[attr-defined]
    return 16 if picture.mode.startswith("I;16") else 32 if picture.mode in "IF" else 8
