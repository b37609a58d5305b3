from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from senet_mm.runs.data.layouts import label_files as module
from senet_mm.runs.data.layouts.find import give_val_split
from senet_mm.runs.data.layouts.label_files import LabelFiles
from senet_mm.runs.data.layouts.places import coco_places
from senet_mm.runs.data.layouts.store import FOLDER, find_stored
from senet_mm.runs.data.layouts.survey import survey

from .folders import write_voc, write_yolo


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each label file was read."""
    counts: Counter[str] = Counter()
    read_bytes = Path.read_bytes

    def count(path: Path) -> bytes:
        if path.suffix != ".json":
            counts[str(path)] += 1
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", count)
    yield counts


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are as old as they must be, without waiting."""
    monkeypatch.setattr(module, "_UNSETTLED", 0)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in paths:
        path.write_text(path.stem)
    return paths


def joined(contents: list[bytes]) -> str:
    return b"".join(contents).decode()


def derived(root: Path, paths: list[Path]) -> str:
    found = LabelFiles(root)
    made = found.derive("joined", paths, joined)
    found.keep()
    return made


@pytest.mark.usefixtures("settled")
def test_what_was_made_is_known(files: list[Path], tmp_path: Path, reads: Counter[str]) -> None:
    for _ in range(2):
        assert derived(tmp_path, files) == "ab"
    assert reads == {str(path): 1 for path in files}
    reads.clear()
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert derived(moved, [moved / path.name for path in files]) == "ab"
    assert not reads
    assert derived(moved, [moved / path.name for path in files[::-1]]) == "ba"
    assert derived(moved, [moved / "b.txt"]) == "b"


def rewritten(path: Path) -> None:
    path.write_text("c")  # as long as before


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("c")
    other.replace(path)


def exchanged(path: Path) -> None:
    path.rename(path.with_name("x"))
    path.with_name("b.txt").rename(path)
    path.with_name("x").rename(path.with_name("b.txt"))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("change", [rewritten, replaced, exchanged])
def test_what_has_changed_is_read(
    change: Callable[[Path], None], files: list[Path], tmp_path: Path
) -> None:
    for path in files:
        os.utime(path, ns=(10**18, 10**18))
    assert derived(tmp_path, files) == "ab"
    change(files[0])
    for path in files:  # as programs do that copy files with their times
        os.utime(path, ns=(10**18, 10**18))
    assert derived(tmp_path, files) == "".join(path.read_text() for path in files) != "ab"


def test_what_has_just_changed_is_not_relied_on(files: list[Path], tmp_path: Path) -> None:
    assert derived(tmp_path, files) == "ab"
    assert find_stored(tmp_path, "labels.json") is None


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"{", b"[]", b'{"joined": 1}', b'{"joined": {"made": "x"}}'])
def test_a_damaged_record_is_made_anew(content: bytes, files: list[Path], tmp_path: Path) -> None:
    derived(tmp_path, files)
    (tmp_path / FOLDER / "labels.json").write_bytes(content)
    assert derived(tmp_path, files) == "ab"
    assert (tmp_path / FOLDER / "labels.json").read_bytes() != content


@pytest.mark.usefixtures("settled")
def test_where_nothing_can_be_written(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / FOLDER).touch()
    (tmp_path / "cache").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        assert derived(tmp_path, files) == "ab"


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("write", [write_voc, write_yolo])
def test_folders_are_read_once(
    write: Callable[[Path, Path], Path], shapes_root: Path, tmp_path: Path, reads: Counter[str]
) -> None:
    root = write(shapes_root, tmp_path / "data")
    before = survey(root)
    assert set(reads.values()) == {1} and not (root / FOLDER).exists()
    reads.clear()
    first = coco_places(root)
    assert set(reads.values()) == {1}
    labels = [Path(path) for path in reads]
    assert len(labels) > 15
    reads.clear()
    assert coco_places(root) == first and not reads
    shutil.copy2(labels[1], labels[0])  # with its time
    changed = coco_places(root)
    assert changed != first and set(reads.values()) == {1}
    assert [split.name for split in survey(root).splits] == [split.name for split in before.splits]


@pytest.mark.usefixtures("settled")
def test_a_split_reads_no_more(shapes_root: Path, tmp_path: Path, reads: Counter[str]) -> None:
    root = write_voc(shapes_root, tmp_path / "data")
    (root / "ImageSets" / "Main" / "val.txt").unlink()
    give_val_split(root, 0.25, 0)
    first = coco_places(root)
    assert max(reads.values()) == 2  # for its classes, then to be converted
    reads.clear()
    assert coco_places(root) == first and not reads
