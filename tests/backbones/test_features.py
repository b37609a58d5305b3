"""What backbones tell of their maps is what comes out, and they behave as modules do."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest
import timm
import torch
from mmdet.registry import MODELS
from mmengine.logging import MMLogger
from torch import nn

from senet_mm.backbones import SEBackbone, SEResNet, TimmBackbone

# one of each kind, small where there is a choice
BACKBONES: dict[str, dict[str, Any]] = {
    "SEResNet": dict(depth=18, base_channels=16, stem_channels=16, out_indices=[1, 3]),
    "SEResNetV1d": dict(depth=18, base_channels=16, stem_channels=16),
    "SEResNeXt": dict(
        depth=50,
        groups=4,
        base_width=8,
        num_stages=2,
        **{"strides": (1, 2), "dilations": (1, 1), "out_indices": (0, 1)},
    ),
    "SENet": dict(depth=154, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)),
    "BNInception": dict(out_indices=[0, 2]),
    "ShuffleNetV1": dict(out_indices=(3,)),
    "PreActResNet": dict(depth=8, out_indices=(0, 1, 2)),
    "WideResNet": dict(depth=10, widen_factor=1),
    "ShakeResNet": dict(depth=8, base_channels=16, out_indices=(1, 2)),
    "ShakeResNeXt": dict(depth=11),
    "TimmBackbone": dict(model_name="resnet18", out_indices=(2, 4)),
    "SEBackbone": dict(
        backbone=dict(type="ResNet", depth=18, base_channels=16, stem_channels=16), units=r"layer\d"
    ),
}
NECKS = {
    "SEFPN": dict(in_channels=[8, 16], out_channels=8, num_outs=2),
    "SENeck": dict(neck=dict(type="FPN", in_channels=[8, 16], out_channels=8, num_outs=2)),
    "VectorNeck": dict(pool=True),
}


def test_every_backbone_and_neck_here_is_tried() -> None:
    ours = {
        name: kind
        for name, kind in MODELS.module_dict.items()
        if kind.__module__.startswith("senet_mm.")
    }
    rooms = {name for name, kind in ours.items() if ".backbones" in kind.__module__}
    assert rooms == BACKBONES.keys()
    rooms = {name for name, kind in ours.items() if ".necks" in kind.__module__}
    assert rooms == NECKS.keys()


@pytest.mark.parametrize("kind", [*BACKBONES, *NECKS])
def test_train_and_eval_return_the_module(kind: str) -> None:
    net = MODELS.build(dict(type=kind, **(BACKBONES | NECKS)[kind]))
    assert net.eval() is net and not net.training
    assert net.train() is net and net.training


@pytest.mark.parametrize("kind", BACKBONES)
@torch.no_grad()
def test_channels_and_strides_are_those_of_the_maps(kind: str) -> None:
    net = MODELS.build(dict(type=kind, **BACKBONES[kind])).eval()
    maps = net(torch.zeros(1, 3, 64, 64))
    assert net.channels == [map_.shape[1] for map_ in maps]
    assert net.strides == [64 // map_.shape[2] for map_ in maps]
    assert net.feature_info.channels() == net.channels
    assert net.feature_info.reduction() == net.strides


@torch.no_grad()
def test_modules_end_in_the_maps() -> None:
    for net in (SEResNet(18), MODELS.build(dict(type="BNInception"))):
        ends: list[torch.Tensor] = []
        record = partial(_append, ends)
        for name in net.feature_info.module_name():
            net.get_submodule(name).register_forward_hook(record)
        maps = net.eval()(torch.zeros(1, 3, 64, 64))
        assert all(a is b for a, b in zip(ends, maps, strict=True))


def _append(ends: list[torch.Tensor], unit: nn.Module, inputs: Any, map_: torch.Tensor) -> None:
    ends.append(map_)


def test_as_timm_tells_them() -> None:
    peer = timm.create_model("seresnet50", features_only=True, out_indices=(1, 2, 3, 4))
    told, own = peer.feature_info, SEResNet(50).feature_info
    assert own.channels() == told.channels()
    assert own.reduction() == told.reduction()
    assert own.module_name() == told.module_name()
    assert len(own) == 4 and own[1]["num_chs"] == told[2]["num_chs"]
    assert TimmBackbone("resnet18").feature_info.module_name()[-1] == "layer4"


def test_dilated_stages_keep_their_stride() -> None:
    net = SEResNet(18, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
    assert net.strides == [4, 8, 8, 8]


def test_a_net_whose_maps_cannot_be_told() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 32, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(x).flatten(1)

    net = SEBackbone(dict(type=Flat), units="conv", se_cfg=dict(reduction=8))
    with pytest.raises(ValueError, match="Flat returns something other than maps"):
        _ = net.channels


def test_initialization_without_a_run_is_silent(caplog: pytest.LogCaptureFixture, tmp_path) -> None:
    options = BACKBONES["SEResNetV1d"] | dict(norm_eval=False)
    logger = MMLogger.get_instance("silent")
    logger.propagate = True
    with caplog.at_level(logging.INFO):
        SEResNet(**options).init_weights()
    assert "KaimingInit" not in caplog.text
    log = tmp_path / "run.log"
    MMLogger.get_instance("with a file", log_file=str(log))
    SEResNet(**options).init_weights()
    assert "layer1.0.conv1.weight" in log.read_text()
