from __future__ import annotations

from mmengine.config import Config

from senet_mm.comparison.batches import batches_note


def config(batch_size: int, **preprocessor: object) -> Config:
    return Config(
        dict(
            test_dataloader=dict(batch_size=batch_size),
            model=dict(data_preprocessor=dict(pad_size_divisor=32, **preprocessor)),
        )
    )


def test_the_same_batches_need_no_note() -> None:
    assert batches_note({"a": [config(1), config(1)], "b": [config(1)], "file": []}) is None
    assert batches_note({"a": [], "b": []}) is None


def test_other_batches_are_told_of_each_detector() -> None:
    note = batches_note({"plain": [config(1)], "se": [config(4), config(1)]})
    assert note is not None and note.startswith(
        "Not tested in the same batches: plain (batch_size=1, pad_size_divisor=32), se "
        "(batch_size=4, pad_size_divisor=32; batch_size=1, pad_size_divisor=32)."
    )


def test_so_is_another_padding() -> None:
    note = batches_note({"plain": [config(1)], "se": [config(1, pad_value=114)]})
    assert note is not None and "se (batch_size=1, pad_size_divisor=32, pad_value=114)" in note
