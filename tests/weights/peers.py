"""Randomly initialized nets of each family of weights, with the config of ours that equals them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import timm
import torchvision
from torch import Tensor, nn


class MatrixSE(nn.Module):
    """SE as moskomule/senet.pytorch has it: fully connected, without biases."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // 16, bias=False),
            nn.ReLU(),
            nn.Linear(channels // 16, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc(x.mean((2, 3)))[:, :, None, None]


class NestedSE(nn.Module):
    """SE as mmpretrain has it: each convolution inside a module, with what follows it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = nn.Conv2d(channels, channels // 16, 1)
        self.conv1 = nn.Sequential(OrderedDict(conv=squeezed, activate=nn.ReLU()))
        excited = nn.Conv2d(channels // 16, channels, 1)
        self.conv2 = nn.Sequential(OrderedDict(conv=excited, activate=nn.Sigmoid()))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.conv2(self.conv1(x.mean((2, 3), keepdim=True)))


@dataclass(frozen=True)
class Peer:
    """A net of a family.

    Attributes:
        family: The family that must be recognized.
        name: The net's name there.
        config: The backbone that computes the same.
        make: Builds the net.
        wrap: What its authors' checkpoint holds, from the net's state dict.
    """

    family: str
    name: str
    config: dict[str, Any]
    make: Callable[[], nn.Module]
    wrap: Callable[[dict[str, Tensor]], dict[str, Any]] = dict

    @property
    def id(self) -> str:
        return f"{self.family}-{self.name}"


def stage_maps(net: nn.Module, x: Tensor) -> list[Tensor]:
    """What each of the four stages of a net puts out."""
    maps: list[Tensor] = []
    hooks = [
        getattr(net, f"layer{stage}").register_forward_hook(lambda *args: maps.append(args[2]))
        for stage in (1, 2, 3, 4)
    ]
    net(x)
    for hook in hooks:
        hook.remove()
    return maps


def with_se(name: str, block: Callable[[int], nn.Module]) -> nn.Module:
    """timm's net with another SE block in every residual unit."""
    net = timm.create_model(name, pretrained=False)
    for unit in net.modules():
        if isinstance(getattr(unit, "se", None), nn.Module):
            unit.se = block(unit.se.fc1.in_channels)
    return net


def as_mmpretrain(weights: dict[str, Tensor]) -> dict[str, Any]:
    renamed = {key.replace(".se.", ".se_layer."): value for key, value in weights.items()}
    backbone = {f"backbone.{key}": v for key, v in renamed.items() if not key.startswith("fc.")}
    return {"meta": {}, "state_dict": backbone | {"head.fc.weight": weights["fc.weight"]}}


def as_mmpretrain_v1d(weights: dict[str, Tensor]) -> dict[str, Any]:
    """timm's resnet50d as mmpretrain's ResNetV1d, renamed by hand."""
    stem = {
        "conv1.0.": "stem.0.conv.", "conv1.1.": "stem.0.bn.", "conv1.3.": "stem.1.conv.",
        "conv1.4.": "stem.1.bn.", "conv1.6.": "stem.2.conv.", "bn1.": "stem.2.bn.",
        "layer1.0.downsample.1.": "layer1.0.downsample.0.",
        "layer1.0.downsample.2.": "layer1.0.downsample.1.",
    }  # fmt: skip
    out = {}
    for key, value in weights.items():
        old = next((old for old in stem if key.startswith(old)), None)
        out[key if old is None else stem[old] + key.removeprefix(old)] = value
    return as_mmpretrain(out)


def timm_net(name: str) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, pretrained=False)


def torchvision_net(name: str) -> Callable[[], nn.Module]:
    return lambda: torchvision.models.get_model(name, weights=None)


X32 = dict(groups=32, base_width=4)
PORTED = dict(stem_pool="ceil", style="caffe")
PEERS = [
    # timm's seresnet18 and 34 have 8 hidden channels in their first stage, of 64
    *(
        Peer(
            "shared",
            f"seresnet{depth}",
            dict(
                type="SEResNet",
                depth=depth,
                se_cfg=[dict(reduction=8)] + 3 * [dict(reduction=16)] if depth < 50 else {},
            ),
            timm_net(f"seresnet{depth}"),
        )
        for depth in (18, 34, 50, 101, 152)
    ),
    *(
        Peer(
            "shared",
            f"seresnext{depth}_32x4d",
            dict(type="SEResNeXt", depth=depth, **X32),
            timm_net(f"seresnext{depth}_32x4d"),
        )
        for depth in (50, 101)
    ),
    Peer(
        "timm_deep", "seresnet152d", dict(type="SEResNetV1d", depth=152), timm_net("seresnet152d")
    ),
    Peer("timm_deep", "senet154", dict(type="SENet", depth=154), timm_net("senet154")),
    Peer(
        "timm_deep",
        "resnet50d",
        dict(type="ResNet", depth=50, deep_stem=True, avg_down=True),
        timm_net("resnet50d"),
    ),
    *(
        Peer(
            "legacy",
            f"legacy_seresnet{depth}",
            dict(type="SEResNet", depth=depth, stem_pool="ceil", se_cfg=dict(branch_relu=True)),
            timm_net(f"legacy_seresnet{depth}"),
        )
        for depth in (18, 34)
    ),
    *(
        Peer(
            "legacy",
            f"legacy_seresnet{depth}",
            dict(type="SEResNet", depth=depth, **PORTED),
            timm_net(f"legacy_seresnet{depth}"),
        )
        for depth in (50, 101, 152)
    ),
    *(
        Peer(
            "legacy",
            f"legacy_seresnext{depth}_32x4d",
            dict(type="SEResNeXt", depth=depth, stem_pool="ceil", **X32),
            timm_net(f"legacy_seresnext{depth}_32x4d"),
        )
        for depth in (50, 101)
    ),
    Peer(
        "legacy_deep",
        "legacy_senet154",
        dict(type="SENet", depth=154, stem_pool="ceil"),
        timm_net("legacy_senet154"),
    ),
    *(
        Peer(
            "mmpretrain",
            f"SEResNet-{depth}",
            dict(type="SEResNet", depth=depth),
            lambda depth=depth: with_se(f"seresnet{depth}", NestedSE),
            as_mmpretrain,
        )
        for depth in (50, 101, 152)
    ),
    *(
        Peer(
            "mmpretrain",
            f"SEResNeXt-{depth}",
            dict(type="SEResNeXt", depth=depth, **X32),
            lambda depth=depth: with_se(f"seresnext{depth}_32x4d", NestedSE),
            as_mmpretrain,
        )
        for depth in (50, 101)
    ),
    Peer(
        "mmpretrain_v1d",
        "ResNetV1d-50",
        dict(type="ResNetV1d", depth=50),
        timm_net("resnet50d"),
        as_mmpretrain_v1d,
    ),
    *(
        Peer(
            "moskomule",
            f"se_resnet{depth}",
            dict(type="SEResNet", depth=depth, se_cfg=dict(bias=False)),
            lambda depth=depth: with_se(f"seresnet{depth}", MatrixSE),
        )
        for depth in (18, 34, 50, 101, 152)
    ),
    *(
        Peer(
            "shared",
            f"torchvision-resnet{depth}",
            dict(type="ResNet", depth=depth),
            torchvision_net(f"resnet{depth}"),
        )
        for depth in (18, 34, 50, 101, 152)
    ),
    Peer(
        "shared",
        "torchvision-resnext50_32x4d",
        dict(type="ResNeXt", depth=50, **X32),
        torchvision_net("resnext50_32x4d"),
    ),
    Peer(
        "shared",
        "torchvision-resnext101_64x4d",
        dict(type="ResNeXt", depth=101, groups=64, base_width=4),
        torchvision_net("resnext101_64x4d"),
    ),
]
