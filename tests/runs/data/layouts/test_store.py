from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.store import FOLDER, find_stored, store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_file_is_made_once(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    assert find_stored(root, "x.json") is None
    path = store(root, "x.json", lambda: "one")
    assert path == root / FOLDER / "x.json" == find_stored(root, "x.json")
    assert store(root, "x.json", lambda: pytest.fail("made again")) == path
    assert path.read_text() == "one"
    store(root, "x.json", lambda: "two", replace=True)
    assert path.read_text() == "two"


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        store(tmp_path, "x.json", lambda: str(1 / 0))
    assert find_stored(tmp_path, "x.json") is None
    assert store(tmp_path, "x.json", lambda: "").is_file()  # it was let go


def test_a_folder_that_cannot_be_written(tmp_path: Path, cache: Path) -> None:
    roots = [tmp_path / "a" / "data", tmp_path / "b" / "data"]
    for root in roots:
        root.mkdir(parents=True)
        (root / FOLDER).touch()  # as root, who runs tests in containers, may write anywhere
    paths = [store(root, "x.json", lambda root=root: str(root)) for root in roots]
    assert all(path.is_relative_to(cache / "senet_mm") for path in paths)
    assert [path.read_text() for path in paths] == [*map(str, roots)]
    assert [find_stored(root, "x.json") for root in roots] == paths
    cache.rename(tmp_path / "away")
    cache.touch()
    with pytest.raises(OSError, match=r"neither to .*data/senet_mm_annotations \(.*XDG_CACHE_HOME"):
        store(roots[0], "y.json", lambda: "")
