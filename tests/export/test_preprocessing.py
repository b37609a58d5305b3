"""What the test pipeline does to pictures, and what cannot be exported."""

from __future__ import annotations

from typing import Any

import pytest
from mmengine.config import Config

from senet_mm.export.preprocessing import resize_of
from tests.export.nets import small_config


def with_pipeline(*transforms: dict[str, Any]) -> Config:
    return Config(dict(test_dataloader=dict(dataset=dict(type="CocoDataset", pipeline=transforms))))


LOAD, RESIZE = dict(type="LoadImageFromFile"), dict(type="Resize", scale=(160, 112))


def test_of_a_config() -> None:
    assert resize_of(small_config("fcos", se=True)) == dict(scale=[160, 112], keep_ratio=True)
    assert resize_of(with_pipeline(LOAD, RESIZE)) == dict(scale=[160, 112], keep_ratio=False)


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        ([LOAD], "Resize 0 times"),
        ([LOAD, RESIZE, RESIZE], "Resize 2 times"),
        ([LOAD, dict(type="mmdet.Resize", scale_factor=0.5)], "expected a Resize by scale="),
        ([LOAD, RESIZE | dict(interpolation="area")], "Resize with interpolation='area'"),
        ([LOAD | dict(to_float32=True), RESIZE], "LoadImageFromFile with to_float32=True"),
        ([LOAD, dict(type="RandomFlip", prob=0.5), RESIZE], "it has RandomFlip"),
    ],
)
def test_refuses_what_the_file_cannot_tell(transforms: list[dict], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resize_of(with_pipeline(*transforms))


def test_needs_a_pipeline() -> None:
    with pytest.raises(ValueError, match="has no test_dataloader"):
        resize_of(Config(dict(model=dict())))
