from pathlib import Path

import pytest

from senet_mm.io.outputs import check_output, spread, whole_output


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "x.pkl", "--out")
    assert (tmp_path / "new").is_dir() and not (tmp_path / "new" / "x.pkl").exists()
    with pytest.raises(OSError, match=r"--out .*new is a folder: expected a file"):
        check_output(tmp_path / "new", "--out")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot write to --out .*choose another --out"):
        check_output(tmp_path / "file" / "x.pkl", "--out")


def test_an_output_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    with whole_output(path) as place:
        assert place.endswith(".pkl")
        Path(place).write_text("first")
    with pytest.raises(ValueError), whole_output(path) as place:
        Path(place).write_text("half")
        raise ValueError
    assert path.read_text() == "first"
    assert [file.name for file in tmp_path.iterdir()] == ["x.pkl"]


def test_pictures_of_one_name_go_to_folders_of_their_own() -> None:
    names = ["x.jpg", "x.png", "y.jpg", "X.jpg", "a/x.jpg", "2/x.jpg", "x.1.jpg", "x.2.jpg"]
    folders = spread([Path(name) for name in names], "out")
    chosen = ["out", "out/2", "out", "out/3", "out/a", "out/2/2", "out", "out"]
    assert [folder.as_posix() for folder in folders] == chosen
