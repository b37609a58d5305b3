from pathlib import Path

import pytest

from senet_mm.runs.data.layouts.val_split import ValSplit, store_split, stored_split

NAMES = [f"images/{number}.jpg" for number in range(100)]


def test_the_same_pictures_on_any_machine() -> None:
    chosen = ValSplit(0.2).chosen(NAMES)
    assert len(chosen) == 20 and chosen == ValSplit(0.2).chosen(NAMES[::-1])
    # known numbers: another rule would give other pictures to who trained before
    assert sorted(chosen)[:4] == ["images/0.jpg", "images/1.jpg", "images/16.jpg", "images/17.jpg"]
    assert chosen != ValSplit(0.2, seed=1).chosen(NAMES)
    # more of them are these and others, and new pictures move few
    assert chosen < ValSplit(0.3).chosen(NAMES)
    more = ValSplit(0.2).chosen([*NAMES, *(f"images/new{number}.jpg" for number in range(10))])
    assert len(more) == 22 and len(more & chosen) >= 18


def test_neither_part_is_empty() -> None:
    assert len(ValSplit(0.01).chosen(NAMES[:3])) == 1
    assert len(ValSplit(0.99).chosen(NAMES[:3])) == 2
    with pytest.raises(ValueError, match="1 pictures cannot be split"):
        ValSplit(0.5).chosen(NAMES[:1])


def test_a_folder_keeps_the_last_split_that_it_was_given(tmp_path: Path) -> None:
    assert stored_split(tmp_path) is None
    for split in (ValSplit(0.2), ValSplit(0.2), ValSplit(0.3, seed=4)):
        store_split(tmp_path, split)
        assert stored_split(tmp_path) == split
