from pathlib import Path

import pytest

from senet_mm.io.files import make_writable, whole_file, write_whole


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "x.txt", "first")
    with pytest.raises(RuntimeError, match="stopped"), whole_file(path) as unfinished:
        unfinished.write_text("sec")
        raise RuntimeError("stopped")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
    assert write_whole(path, "second").read_text() == "second"


def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    make_writable(tmp_path / "a" / "b", "the folder", "choose another")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write to the folder \(.+\): choose another"):
        make_writable(tmp_path / "file" / "x", "the folder", "choose another")
