from __future__ import annotations

import os
from pathlib import Path

import pytest

from senet_mm.runs.inference.sources import Found, Kind, find_sources

OUT = Path("out")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of all kinds; their content is not looked at."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "a/2.jpg", "a/1.PNG", "a/deep/3.jpeg", "a/deep/film.MOV", "a/notes.txt", "a/LICENSE",
        "a/.hidden.jpg", "a/.cache/x.jpg", "x[1].jpg", "noext", "7", "out/vis/old.jpg",
        "text/x.csv",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "void").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    return tmp_path


def names(found: Found) -> list[str]:
    return [source.name.as_posix() for source in found.sources]


def test_a_folder_and_its_subfolders() -> None:
    found = find_sources(["a"], leave_out=OUT)
    assert names(found) == ["1.PNG", "2.jpg", "deep/3.jpeg", "deep/film.MOV"]
    assert [s.given for s in found.sources][2:] == ["a/deep/3.jpeg", "a/deep/film.MOV"]
    assert [s.kind for s in found.sources][2:] == [Kind.PICTURE, Kind.VIDEO]
    assert found.notes == ["2 files of a are no pictures or videos (.txt, no ending)"]
    assert not found.problems


def test_results_are_not_looked_at() -> None:
    assert "vis/old.jpg" in " ".join(names(find_sources(["."], leave_out=Path("elsewhere"))))
    assert "old.jpg" not in " ".join(names(find_sources(["."], leave_out=OUT)))
    with pytest.raises(ValueError, match="--out-dir out is ./out, where the next run would take"):
        find_sources(["./out"], leave_out=OUT)


ONE = [
    # (what is given, its kind, its name)
    ("a/2.jpg", Kind.PICTURE, "2.jpg"),
    ("noext", Kind.PICTURE, "noext"),
    ("x[1].jpg", Kind.PICTURE, "x[1].jpg"),  # a file of that name, no pattern
    ("7", Kind.PICTURE, "7"),  # a file of that name, no camera
    ("a/deep/film.MOV", Kind.VIDEO, "film.MOV"),
    ("0", Kind.CAMERA, "webcam0"),
    ("12", Kind.CAMERA, "webcam12"),
    ("/dev/video99", Kind.CAMERA, "video99"),
    ("https://x.org/a/b%20c.jpg?size=3", Kind.WEB, "b c.jpg"),
    ("HTTP://x.org:80", Kind.WEB, "x.org_80"),
    ("http://x.org/%00a%2Fb.jpg", Kind.WEB, "b.jpg"),
    (f"http://x.org/{'a' * 300}.jpg", Kind.WEB, f"{'a' * 96}.jpg"),
    ("http://x.org/stream.m3u8", Kind.VIDEO, "stream.m3u8"),
    ("rtsp://user:pw@10.0.0.1/live", Kind.VIDEO, "live"),
    ("a/*.PNG", Kind.PICTURE, "1.PNG"),
    ("a/**/*.MOV", Kind.VIDEO, "film.MOV"),
    ("void/../a/deep/*g", Kind.PICTURE, "3.jpeg"),
]


@pytest.mark.parametrize(("given", "kind", "name"), ONE)
def test_one_source(given: str, kind: Kind, name: str) -> None:
    found = find_sources([given], leave_out=OUT)
    assert [(s.kind, s.name.as_posix()) for s in found.sources] == [(kind, name)]
    assert not found.problems and not found.notes


NONE = [
    ("none.jpg", "none.jpg is not there (expected pictures, videos, folders, patterns such as"),
    ("-1.5", "-1.5 is not there"),
    ("²", "² is not there"),
    ("s3://bucket/x.jpg", "s3://bucket/x.jpg is not there"),
    ("http://[x/y.jpg", "http://[x/y.jpg is no URL (Invalid IPv6 URL)"),
    ("*.gif", "*.gif matches no file"),
    ("empty.jpg", "empty.jpg is empty"),
    ("pipe.jpg", "pipe.jpg is no regular file"),
    ("void", "void holds no files: expected pictures or videos"),
    ("text", "text holds files of other kinds alone (.csv): expected pictures or videos"),
]


@pytest.mark.parametrize(("given", "problem"), NONE)
def test_what_is_none(given: str, problem: str) -> None:
    found = find_sources([given], leave_out=OUT)
    assert not found.sources and len(found.problems) == 1
    assert found.problems[0].startswith(problem)


def test_order_and_links(folder: Path) -> None:
    (folder / "link").symlink_to("a")
    found = find_sources(["x[1].jpg", "none.jpg", "link", "a/*"], leave_out=OUT)
    assert names(found)[:5] == ["x[1].jpg", "1.PNG", "2.jpg", "deep/3.jpeg", "deep/film.MOV"]
    # what a pattern matches was meant, as when the shell expands it; of a folder what is inside
    assert names(found)[5:] == ["1.PNG", "2.jpg", "LICENSE", "3.jpeg", "film.MOV", "notes.txt"]
    assert [problem.split()[0] for problem in found.problems] == ["none.jpg"]
