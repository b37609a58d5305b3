"""Pictures that are not there, not whole, or not as the annotation file says."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from .cases import BOXES, Outcome, checkpoint, edit, file_of

pytestmark = pytest.mark.slow

Run = Callable[..., Outcome]
Spoil = Callable[[Path], object]
DEMO = f"senet_mm::{BOXES}"
FIRST = "000000000001.jpg"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A pipe that is opened would wait for ever."""
    signal.alarm(120)
    yield
    signal.alarm(0)


def cut(share: float) -> Spoil:
    return lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def replaced(make: Callable[[Path], object]) -> Spoil:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return spoil


def turned(orientation: int) -> Spoil:
    """A picture of 64 rows and 128 columns with an EXIF orientation."""

    def spoil(path: Path) -> None:
        picture = Image.new("RGB", (128, 64))
        exif = picture.getexif()
        exif[0x0112] = orientation
        picture.save(path, exif=exif)

    return spoil


def array(path: Path, values: np.ndarray, ending: str) -> None:
    """Write an array in a format that the file's name does not tell."""
    path.write_bytes(cv2.imencode(ending, values)[1].tobytes())


GRAY = np.full((128, 128), 700, dtype=np.uint16)
REFUSED = [
    # (what is done to the first picture, what the line says)
    (lambda path: path.unlink(), rf"1 images of .* missing, empty or no files in .*: {FIRST}"),
    (lambda path: path.write_bytes(b""), rf"{FIRST} is empty"),
    (replaced(lambda path: path.mkdir()), rf"{FIRST} is a folder"),
    (replaced(os.mkfifo), rf"{FIRST} is no regular file"),
    (replaced(lambda path: path.symlink_to("/dev/zero")), rf"{FIRST} is no regular file"),
    (replaced(lambda path: path.symlink_to("nowhere")), f"missing, empty or no files.*{FIRST}"),
    (lambda path: path.rename(path.with_suffix(".JPG")), "000000000001.JPG is there: capitals"),
    (lambda path: path.rename(path.with_suffix(".png")), "000000000001.png is there"),
    (cut(0.02), f"1 pictures of .* cannot be read .truncated, or no picture.*{FIRST}"),
    (cut(0.5), f"1 pictures of .* cannot be read .*{FIRST}: replace them, or take them out"),
    (cut(0.98), f"1 pictures of .* cannot be read .*{FIRST}"),
    (lambda path: path.write_text("<html>404</html>"), f"cannot be read .*{FIRST}"),
    (lambda path: array(path, GRAY.astype(np.float32), ".tif"), f"cannot be read .*{FIRST}"),
    (turned(1), "is 128x64 .width x height., the file says 128x128: its boxes are of another"),
]


@pytest.mark.parametrize(("spoil", "message"), REFUSED)
@pytest.mark.parametrize("split", ["train", "val"])
def test_refused_in_one_line(
    tried: Run, root: Path, tmp_path: Path, split: str, spoil: Spoil, message: str
) -> None:
    spoil(root / f"{split}2017" / FIRST)
    outcome = tried("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.refused(message)
    assert f"{split}2017" in outcome.err


def says(width: int, height: int) -> Callable[[dict], object]:
    return lambda data: data["images"][0].update(width=width, height=height)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_turned_picture(tried: Run, root: Path, tmp_path: Path, orientation: int) -> None:
    turned(orientation)(root / "train2017" / FIRST)
    edit(root, says(64, 128), ["train"])
    line = ("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    assert tried(*line).code == 0
    edit(root, says(128, 64), ["train"])
    tried(*line).refused(
        f"is 64x128 .* says 128x64: its EXIF orientation is {orientation}, by which the loader "
        "turns it: .*color_type='color_ignore_orientation' in LoadImageFromFile"
    )
    as_stored = "train_dataloader.dataset.pipeline.0.color_type=color_ignore_orientation"
    assert tried(*line, "--cfg-options", as_stored).code == 0
    edit(root, says(64, 128), ["train"])
    tried(*line, "--cfg-options", as_stored).refused("the loader does not turn it")


@pytest.mark.parametrize("orientation", [2, 3, 4])
def test_a_mirrored_picture_keeps_its_size(
    tried: Run, root: Path, tmp_path: Path, orientation: int
) -> None:
    turned(orientation)(root / "train2017" / FIRST)
    edit(root, says(128, 64), ["train"])
    line = ("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    assert tried(*line).code == 0


def test_exchanged_sides(tried: Run, root: Path, tmp_path: Path) -> None:
    turned(1)(root / "train2017" / FIRST)
    edit(root, says(64, 128), ["train"])
    line = ("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    tried(*line).refused("width and height seem to be exchanged")


def saved(mode: str, ending: str) -> Spoil:
    return lambda path: Image.open(path).convert(mode).save(path, ending)


READ = [
    # (what is done to the first picture, what is told)
    (saved("L", "JPEG"), None),
    (saved("CMYK", "JPEG"), None),
    (saved("RGBA", "PNG"), None),
    (saved("P", "PNG"), None),
    (saved("LA", "PNG"), None),
    (saved("RGB", "WEBP"), None),
    (saved("RGB", "BMP"), None),
    (saved("RGB", "TIFF"), None),
    (lambda path: path.write_bytes(path.read_bytes() + b"\0" * 9), None),
    (lambda path: array(path, GRAY, ".png"), "1 pictures of .* have more than 8 bits a channel"),
    (lambda path: array(path, GRAY, ".tif"), "more than 8 bits a channel"),
    (lambda path: array(path, np.stack([GRAY] * 3, 2), ".png"), "keeps the upper 8"),
]


@pytest.mark.parametrize(("spoil", "note"), READ)
def test_what_the_loader_reads(
    tried: Run, root: Path, tmp_path: Path, spoil: Spoil, note: str | None
) -> None:
    spoil(root / "train2017" / FIRST)
    outcome = tried("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted(*([note.split(".*")[-1].strip()] if note else []))


def renamed(make: Callable[[str], str]) -> Callable[[dict], object]:
    return lambda data: [
        image.update(file_name=make(image["file_name"])) for image in data["images"]
    ]


NAMES = [
    # (the names of the file, where the pictures are, what the line says)
    (lambda name: f"cam\\{name}", "cam", f"cam/{FIRST} is there: write the names with /"),
    (lambda name: f"train2017/{name}", "", "the names hold the folder already, so set data_prefix"),
    (lambda name: f"photos/{name}", "", f"{FIRST} is there, without the folders of the name"),
    (lambda name: name.replace(".jpg", ".JPG"), "", f"{FIRST} is there: capitals and small"),
    (lambda name: f"{name}\0", "", "the name holds a null character"),
]


@pytest.mark.parametrize(("make", "folder", "message"), NAMES)
def test_names_that_mean_something_else(
    tried: Run,
    root: Path,
    tmp_path: Path,
    make: Callable[[str], str],
    folder: str,
    message: str,
) -> None:
    edit(root, renamed(make), ["train"])
    if folder:
        shutil.move(root / "train2017", root / "moved")
        (root / "train2017").mkdir()
        shutil.move(root / "moved", root / "train2017" / folder)
    outcome = tried("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.refused(message)


def test_a_picture_that_is_named_twice(tried: Run, root: Path, tmp_path: Path) -> None:
    edit(root, lambda data: data["images"][1].update(file_name=FIRST), ["train"])
    outcome = tried("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w")
    outcome.accepted(f"1 pictures of {file_of(root, 'train')} are named by several images")


def test_links_and_folders_are_followed(tried: Run, root: Path, tmp_path: Path) -> None:
    shutil.move(root / "train2017", tmp_path / "elsewhere")
    (root / "train2017").mkdir()
    (root / "train2017" / "cäm 1").symlink_to(tmp_path / "elsewhere")
    edit(root, renamed(lambda name: f"cäm 1/{name}"), ["train"])
    tried("train", DEMO, "--data-root", root, "--work-dir", tmp_path / "w").accepted()


@pytest.mark.parametrize("command", ["train", "test", "gates"])
def test_headers_are_not_read_where_that_takes_long(
    tried: Run, root: Path, tmp_path: Path, command: str
) -> None:
    for split in ("train", "val"):
        turned(1)(root / f"{split}2017" / FIRST)
    path = checkpoint(tmp_path / "epoch_1.pth", None)
    given = [] if command == "train" else [path]
    line = (command, DEMO, *given, "--data-root", root, "--work-dir", tmp_path / "w")
    tried(*line).refused("pictures have another size")
    outcome = tried(*line, "--no-check-images")
    assert "another size" not in outcome.err
    if command != "gates":
        assert outcome.code == 0
    (root / "val2017" / FIRST).unlink()
    tried(*line, "--no-check-images").refused("missing, empty or no files")


def test_a_comparison_reads_headers_too(tried: Run, root: Path, tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "epoch_1.pth", None)
    turned(1)(root / "val2017" / FIRST)
    runs = (f"{DEMO},{path}", f"{DEMO},{path}", "--names", "a", "b", "--data-root", root)
    line = ("compare", *runs, "--out-dir", tmp_path / "out")
    tried(*line).refused("pictures have another size")


def test_a_bad_picture_costs_that_picture_alone(tried: Run, root: Path, tmp_path: Path) -> None:
    path, out = checkpoint(tmp_path / "epoch_1.pth", None), tmp_path / "out"
    pictures = sorted((root / "val2017").iterdir())
    cut(0.5)(pictures[0])
    replaced(os.mkfifo)(pictures[1])
    pictures[2].write_text("no picture")
    line = ("infer", DEMO, path, *pictures[:5], tmp_path / "none.jpg", "--out-dir", out)
    outcome = tried(*line)
    outcome.refused(
        rf"4 inputs were left out: .*{pictures[1].name} is no regular file; .*none.jpg is not there"
        rf".*{pictures[0].name} cannot be read.*{pictures[2].name} cannot be read"
    )
    assert {p.name for p in (out / "vis").iterdir()} == {p.name for p in pictures[3:5]}
    tried("infer", DEMO, path, pictures[0], "--out-dir", out).refused(
        "no picture to look at.*truncated"
    )


def test_the_gallery_leaves_out_what_it_cannot_draw(
    tried: Run, root: Path, tmp_path: Path, results_files: list[Path]
) -> None:
    pictures = sorted((root / "val2017").iterdir())
    for picture in pictures:
        shutil.copy(picture, root)
    spoiled = {pictures[1].name: os.mkfifo, pictures[4].name: lambda path: path.write_text("x")}
    for name, make in spoiled.items():
        replaced(make)(root / "val2017" / name)

    def outside(data: dict) -> None:
        for image, place in zip(data["images"], ("..", None, root, "x/../..", None), strict=False):
            image["file_name"] = f"{place}/{image['file_name']}" if place else image["file_name"]

    edit(root, outside, ["val"])
    line = ("compare", *results_files, "--ann-file", file_of(root, "val"))
    line += ("--image-dir", root / "val2017", "--num-resamples", 10, "--num-images", 12)
    outcome = tried(*line, "--out-dir", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    notes = (tmp_path / "out" / "report.md").read_text()
    left_out = [line for line in notes.splitlines() if "The gallery lacks an image" in line]
    assert any("which lies outside of" in line for line in left_out)
    assert any("is not there, or is no image" in line for line in left_out)
