"""Whether the pictures of a data set are there, can be read, and are as its file says."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
from mmengine.config import Config, ConfigDict
from PIL import Image
from tqdm import tqdm

from ...coco.annotations import Annotations
from .datasets import datasets_of, transforms_of
from .picture_headers import Header, read_header

_NAMED = 3  # how many pictures a message names
_THREADS = 8
_CHUNK = (
    64  # pictures that a thread takes at once: one by one, taking turns costs more than reading
)
_LONG = 2000  # pictures from which on a bar is shown


@dataclass(frozen=True)
class Loader:
    """How a pipeline reads pictures.

    Attributes:
        color_type: As mmdet's ``LoadImageFromFile`` names it; 'color' makes 8 bits of all, and
            turns a picture as its EXIF orientation says.
        backend: What decodes, as mmcv names it.
    """

    color_type: str = "color"
    backend: str | None = "cv2"

    @property
    def turns(self) -> bool:
        """Whether it turns a picture as its EXIF orientation says."""
        ignores = "ignore_orientation" in self.color_type or self.color_type == "unchanged"
        return not ignores and self.backend not in ("turbojpeg", "tifffile")

    def decode(self, path: str | Path) -> np.ndarray | None:
        """A picture as the pipeline reads it; None where it cannot."""
        try:
            content = Path(path).read_bytes()
        except (OSError, ValueError):
            return None
        return self.decode_bytes(content)

    def decode_bytes(self, content: bytes) -> np.ndarray | None:
        """The picture in a file's content as the pipeline reads it; None where it cannot."""
        try:
            return mmcv.imfrombytes(content, flag=self.color_type, backend=self.backend)
        except Exception:  # each backend raises what it likes
            return None

    def as_loaded(self, image: np.ndarray) -> np.ndarray:
        """An (H, W, 3) picture, blue first, that no file holds, as the pipeline would load it."""
        return mmcv.bgr2gray(image) if self.color_type.startswith("grayscale") else image

    def size(self, path: str | Path) -> tuple[int, int] | None:
        """Width and height of a picture as the pipeline reads it; None where it cannot."""
        image = self.decode(path)
        return None if image is None else (image.shape[1], image.shape[0])


@dataclass(frozen=True)
class Picture:
    """A picture as a pipeline reads it.

    Attributes:
        header: Its header; None where only decoding tells of it.
        size: Width and height; None where it cannot be read.
    """

    header: Header | None
    size: tuple[int, int] | None


def loader_of(dataset: ConfigDict) -> Loader | None:
    """How a data set reads its pictures; None where that is not mmdet's way."""
    for transform in transforms_of(dataset.get("pipeline")):
        if str(transform.get("type")).endswith("LoadImageFromFile"):
            return Loader(
                transform.get("color_type", "color"), transform.get("imdecode_backend", "cv2")
            )
    return None


def reader_of(cfg: Config) -> Loader:
    """How pictures are read that are given to a detector, as those of its test set."""
    datasets = datasets_of(cfg, "test_dataloader")
    return next((loader for loader in map(loader_of, datasets) if loader), Loader())


def look_at(path: str | Path, loader: Loader) -> Picture:
    """The size of a picture, from its header where that is enough."""
    header = read_header(path)
    if header is None or not header.is_whole:
        return Picture(header, loader.size(path))
    return Picture(header, header.upright if loader.turns else (header.width, header.height))


@functools.lru_cache(maxsize=8)
def look_at_all(paths: tuple[str, ...], loader: Loader) -> tuple[Picture, ...]:
    """:func:`look_at` many, in threads: disks are slower than headers are long."""
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    bar = tqdm(desc="checking pictures", total=len(paths), disable=len(paths) < _LONG)
    found: list[Picture] = []
    # the filter is not set in the threads: it would change the others'
    with warnings.catch_warnings(), ThreadPoolExecutor(_THREADS) as pool, bar:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        for seen in pool.map(lambda chunk: [look_at(path, loader) for path in chunk], chunks):
            found += seen
            bar.update(len(seen))
    return tuple(found)


def check_readable(paths: Sequence[str], loader: Loader, where: str) -> None:
    """Check that pictures can be read, without decoding those whose headers say so.

    Args:
        paths: The pictures.
        loader: How they will be read.
        where: What names them, for the error.

    Raises:
        ValueError: Naming the first that cannot be read.
    """
    pictures = look_at_all(tuple(paths), loader)
    unreadable = [path for path, one in zip(paths, pictures, strict=True) if one.size is None]
    if unreadable:
        raise ValueError(
            f"{len(unreadable)} pictures of {where} cannot be read (missing, truncated, or no "
            f"picture that the loader knows): {_listed(unreadable)}: replace them, or take them out"
        )


def check_pictures(
    annotations: Annotations, folder: Path, loader: Loader, places: Iterable[int] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Compare the pictures of a data set with its annotation file.

    Args:
        annotations: The file.
        folder: Where the pictures are.
        loader: How they will be read.
        places: Which of its images to look at; all by default.

    Returns:
        (I, 2) width and height of the images, those of the file where it has them, and a sentence
        on what is out of the ordinary.

    Raises:
        ValueError: If some cannot be read, or have another size than the file says.
    """
    chosen = np.arange(len(annotations.image_ids)) if places is None else np.array(list(places))
    paths = tuple(str(folder / annotations.file_names[place]) for place in chosen)
    pictures = look_at_all(paths, loader)
    unreadable = [path for path, one in zip(paths, pictures, strict=True) if one.size is None]
    if unreadable:
        raise ValueError(
            f"{len(unreadable)} pictures of {annotations.path} cannot be read (truncated, or no "
            f"picture that the loader knows): {_listed(unreadable)}: replace them, or take them "
            "out of the annotation file"
        )
    sizes = annotations.image_sizes.copy()
    found = np.array([one.size for one in pictures], dtype=float).reshape(-1, 2)
    other = ((sizes[chosen] != found) & np.isfinite(sizes[chosen])).any(axis=1)
    _check_sizes(
        annotations, [(paths[i], pictures[i], chosen[i]) for i in np.flatnonzero(other)], loader
    )
    sizes[chosen] = np.where(np.isfinite(sizes[chosen]), sizes[chosen], found)
    return sizes, _deep_pictures(annotations, paths, pictures, loader)


def _check_sizes(
    annotations: Annotations, suspects: Sequence[tuple[str, Picture, int]], loader: Loader
) -> None:
    """Refuse pictures whose size is not the file's, once decoding has confirmed it of one."""
    for number, (path, picture, place) in enumerate(suspects):
        width, height = map(int, annotations.image_sizes[place])
        size = loader.size(path) or picture.size
        if size is None or size == (width, height):
            continue
        others = [path for path, _, _ in suspects[number:]]
        raise ValueError(
            f"{len(others)} pictures have another size than {annotations.path} says: "
            f"{_listed(others)}. The first is {size[0]}x{size[1]} (width x height), the file says "
            f"{width}x{height}: {_cause(picture, size == (height, width), loader)}"
        )


def _cause(picture: Picture, exchanged: bool, loader: Loader) -> str:
    """Why a picture may have another size than its annotation file says, and what to do."""
    if not exchanged:
        return "its boxes are of another picture, or of one that was resized since"
    orientation = picture.header.orientation if picture.header else 1
    if orientation == 1:
        return "width and height seem to be exchanged"
    drawn, wanted = "on the turned picture", "color"
    if loader.turns:
        drawn, wanted = "on the picture as it is stored", "color_ignore_orientation"
    return (
        f"its EXIF orientation is {orientation}, by which the loader "
        f"{'turns it' if loader.turns else 'does not turn it'}: if the boxes were drawn {drawn}, "
        f"set color_type='{wanted}' in LoadImageFromFile; else mend width and height"
    )


def _deep_pictures(
    annotations: Annotations, paths: Sequence[str], pictures: Sequence[Picture], loader: Loader
) -> list[str]:
    if loader.color_type == "unchanged":
        return []
    deep = [p for p, one in zip(paths, pictures, strict=True) if one.header and one.header.bits > 8]
    if not deep:
        return []
    return [
        f"{len(deep)} pictures of {annotations.path} have more than 8 bits a channel, of which the "
        f"loader keeps the upper 8 (12 bits of data in 16 turn nearly black): {_listed(deep)}; "
        "scale them to 8 bits yourself where that is not meant"
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
