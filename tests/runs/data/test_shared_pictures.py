"""Pictures of the validation set that are trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_mm.runs.data.shared_pictures import told_shared


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    train, val = tmp_path / "train", tmp_path / "val"
    for folder, contents in ((train, "abc"), (val, "axc")):
        folder.mkdir()
        for name, content in zip(("1.jpg", "2.jpg", "3.jpg"), contents, strict=True):
            (folder / name).write_text(content)
    return train, val


def told(train: tuple[Path, list[str]], val: tuple[Path, list[str]]) -> list[str]:
    return told_shared({"train_dataloader": [train], "val_dataloader": [val]})


def test_copies_of_one_name_and_one_content(folders: tuple[Path, Path]) -> None:
    train, val = folders
    names = ["1.jpg", "2.jpg", "3.jpg"]
    (note,) = told((train, names), (val, names))  # 2.jpg is another picture
    assert note.startswith("2 of 3 pictures of val_dataloader are in train_dataloader too")
    assert told((train, ["1.jpg", "2.jpg"]), (val, ["2.jpg", "3.jpg"])) == []


def test_one_folder_for_both(folders: tuple[Path, Path]) -> None:
    train, _ = folders
    (note,) = told((train, ["1.jpg", "2.jpg"]), (train, ["2.jpg", "3.jpg"]))
    assert note.startswith("1 of 2 pictures")
    assert told((train, ["1.jpg"]), (train, ["3.jpg"])) == []


def test_a_run_that_only_trains_or_tests(folders: tuple[Path, Path]) -> None:
    assert told_shared({"train_dataloader": [(folders[0], ["1.jpg"])]}) == []
    assert told_shared({"test_dataloader": [(folders[0], ["1.jpg"])]}) == []
