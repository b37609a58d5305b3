"""What hides padding from SE is refused before a run; how much of it there was is counted."""

from __future__ import annotations

import copy

import pytest
from mmdet.structures import DetDataSample
from mmengine.config import Config
from torch import nn

from senet_mm.compat.packaged_configs import config_path
from senet_mm.layers import SEBlock
from senet_mm.runs.padding import PaddingShare, check_padding


@pytest.fixture
def cfg() -> Config:
    cfg = Config.fromfile(config_path("faster_rcnn_se_r50_fpn.py"))
    cfg.model.backbone.se_cfg = dict(padding="mask")
    return cfg


def test_what_is_told_by_zeros_passes(cfg: Config) -> None:
    check_padding(cfg)
    cfg.model.data_preprocessor.batch_augments = [dict(type="BatchFixedSizePad", size=(9, 9))]
    check_padding(cfg)


@pytest.mark.parametrize(
    ("preprocessor", "message"),
    [
        (dict(pad_value=114), r"data_preprocessor\.pad_value=114: .*'mask' finds .* expected 0"),
        (dict(pad_val=1), r"data_preprocessor\.pad_val=1"),
        (
            dict(batch_augments=[{}, dict(type="BatchFixedSizePad", img_pad_value=7)]),
            r"data_preprocessor\.batch_augments\.1\.img_pad_value=7",
        ),
        (
            dict(mean=[104.0, 117, 128]),
            r"mean=\[104\.0, 117, 128\]: .* such as \[104\.001, 117\.001, 128\.001\]",
        ),
        (dict(mean=None), r"mean=None: .* such as \[0\.001, 0\.001, 0\.001\]"),
    ],
)
def test_what_is_not_is_refused(cfg: Config, preprocessor: dict, message: str) -> None:
    cfg.model.data_preprocessor.update(preprocessor)
    with pytest.raises(ValueError, match=message):
        check_padding(cfg)
    branches = copy.deepcopy(cfg)  # as of detectors that learn from images without objects
    branches.model.data_preprocessor = dict(data_preprocessor=cfg.model.data_preprocessor)
    with pytest.raises(ValueError, match=message):
        check_padding(branches)
    cfg.model.backbone.se_cfg = [dict(padding="ignore"), {}, None, {}]
    check_padding(cfg)


def test_a_neck_needs_a_backbone_that_tells(cfg: Config) -> None:
    cfg.model.neck.update(type="SEFPN", positions=["input"], se_cfg=dict(padding="mask"))
    check_padding(cfg)
    plain = dict(type="ResNet", depth=50)
    cfg.model.backbone = plain
    told = r"model\.neck has SE with padding='mask', but model\.backbone, a ResNet, tells no sizes"
    with pytest.raises(ValueError, match=told):
        check_padding(cfg)
    cfg.model.backbone = dict(type="SEBackbone", backbone=plain, units=[])
    check_padding(cfg)


def samples(*shapes: tuple[int, int], padded: tuple[int, int]) -> list[DetDataSample]:
    return [
        DetDataSample(metainfo=dict(img_shape=shape, batch_input_shape=padded)) for shape in shapes
    ]


@pytest.mark.parametrize("block", [SEBlock(16), SEBlock(16, padding="mask"), nn.Identity()])
def test_the_share_of_padding_is_told_where_se_squeezes_it(block: nn.Module) -> None:
    counted = PaddingShare(nn.Sequential(block))
    hook = counted.hook()
    hook.after_test_iter(None, 0, outputs=samples((100, 50), (40, 100), padded=(100, 100)))
    hook.after_test_iter(None, 1, outputs=[DetDataSample()])  # of whatever tells no sizes
    hook.after_test_epoch(None, {})
    assert counted.share == pytest.approx(0.55)
    note = counted.note()
    if isinstance(block, SEBlock) and not block.minds_padding:
        assert note.startswith("55% of the pixels were padding, which SE with padding='ignore'")
    else:
        assert note is None


def test_little_padding_is_not_told() -> None:
    counted = PaddingShare(SEBlock(16))
    assert counted.note() is None
    counted.hook().after_test_iter(None, 0, outputs=samples((96, 100), padded=(100, 100)))
    assert counted.share == pytest.approx(0.04) and counted.note() is None
