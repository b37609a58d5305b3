"""A picture alone and beside others: the same maps, in every residual network."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_mm.backbones import SEBackbone, SENet, SEResNet, SEResNetV1d, SEResNeXt
from senet_mm.backbones.senet import SENetBottleneck
from senet_mm.layers import SEConfig

SIZES = [(75, 107), (49, 160), (96, 1)]
NETS = {
    "r18": (SEResNet, 18, {}),
    "r50": (SEResNet, 50, {}),
    "caffe": (SEResNet, 50, dict(style="caffe")),
    "v1d": (SEResNetV1d, 18, {}),
    "v1d-50": (SEResNetV1d, 50, {}),
    "dilated": (SEResNet, 18, dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))),
    "contracted": (
        SEResNet,
        50,
        dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2), contract_dilation=True),
    ),
    "x50": (SEResNeXt, 50, dict(groups=8, base_width=4)),
    "senet": (SENet, 154, dict(groups=4, base_width=4)),
    "some stages": (
        SEResNet,
        18,
        dict(se_cfg=[None, dict(padding="exact", blocks=(1,)), None, {}]),
    ),
    **{
        placement: (SEResNet, 50, dict(se_cfg=dict(placement=placement)))
        for placement in ("pre", "post", "identity", "conv2")
    },
    "max": (SEResNet, 18, dict(se_cfg=dict(squeeze="max", branch_relu=True))),
    "none": (SEResNet, 18, dict(se_cfg=dict(squeeze="none"))),
    "plugin": (
        SEResNet,
        50,
        dict(
            plugins=[dict(cfg=dict(type="mmdet.SEBlock", padding="mask"), position="after_conv2")]
        ),
    ),
}


def with_padding(se_cfg: object, padding: str) -> object:
    if isinstance(se_cfg, list):
        return [None if one is None else dict(one, padding=padding) for one in se_cfg]
    return dict(se_cfg, reduction=4, padding=padding)


def make(name: str, padding: str = "exact", **more: object) -> nn.Module:
    kind, depth, options = NETS[name]
    options = dict(options)
    se_cfg = with_padding(options.pop("se_cfg", {}), padding)
    thin = {} if kind is SENet else dict(base_channels=16)
    net = kind(depth, se_cfg=se_cfg, norm_eval=False, **thin, **options, **more).double()
    net.eval()
    return net


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One or two units per stage have all that more have."""
    monkeypatch.setattr(SENet, "arch_settings", {154: (SENetBottleneck, (1, 1, 1, 2))})


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 3, *size, generator=generator, dtype=torch.float64) for size in SIZES]


def together(pictures: list[Tensor], size: tuple[int, int] = (96, 160)) -> Tensor:
    images = pictures[0].new_zeros(len(pictures), 3, *size)
    for image, picture in zip(images, pictures, strict=True):
        image[:, : picture.shape[2], : picture.shape[3]] = picture[0]
    return images


def error(alone: tuple[Tensor, ...], beside: tuple[Tensor, ...], index: int) -> float:
    """The largest relative difference over the picture's part of each map."""
    return max(
        float((other[index, :, : one.shape[2], : one.shape[3]] - one[0]).norm() / one.norm())
        for one, other in zip(alone, beside, strict=True)
    )


@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_a_picture_gives_the_same_alone_and_beside_others(
    name: str, pictures: list[Tensor], randomize: Callable[[nn.Module], nn.Module]
) -> None:
    net = randomize(make(name))
    beside = net(together(pictures))
    for index, picture in enumerate(pictures):
        assert error(net(picture), beside, index) < 1e-12
    plain = make(name, "ignore") if name != "plugin" else None
    if plain is not None:  # and for a picture without padding, what it always was
        plain.load_state_dict(net.state_dict())
        assert error(plain(pictures[0]), net(pictures[0]), 0) < 1e-12
        if name != "none":
            assert error(plain(pictures[1]), plain(together(pictures)), 1) > 1e-4


@torch.no_grad()
def test_in_float32_to_a_hundred_thousandth(
    pictures: list[Tensor], randomize: Callable[[nn.Module], nn.Module]
) -> None:
    net = randomize(make("r50")).float()
    beside = net(together(pictures).float())
    assert max(error(net(one.float()), beside, i) for i, one in enumerate(pictures)) < 1e-5


@torch.no_grad()
def test_a_masked_squeeze_alone_is_not_exact(
    pictures: list[Tensor], randomize: Callable[[nn.Module], nn.Module]
) -> None:
    ignore, mask = (randomize(make("r18", padding)) for padding in ("ignore", "mask"))
    images = together(pictures)
    near, far = (error(net(pictures[0])[:1], net(images)[:1], 0) for net in (mask, ignore))
    assert 1e-4 < near < far


@pytest.mark.parametrize("name", ["r18", "r50", "v1d", "plugin", "some stages"])
def test_gradients_are_those_of_the_picture_alone_and_checkpointing_changes_none(
    name: str, pictures: list[Tensor], randomize: Callable[[nn.Module], nn.Module]
) -> None:
    net = randomize(make(name))
    again = make(name, with_cp=True)
    again.load_state_dict(net.state_dict())
    images = together(pictures)
    alone = sum(value.square().sum() for value in net(pictures[0]))
    expected = torch.autograd.grad(alone, list(net.parameters()))
    for model in (net, again):
        # backward runs when another batch has been through
        maps = model(images.clone().requires_grad_())
        model(together(pictures[::-1]))
        beside = sum(
            value[0, :, : -(-75 // stride), : -(-107 // stride)].square().sum()
            for value, stride in zip(maps, (4, 8, 16, 32), strict=True)
        )
        found = torch.autograd.grad(beside, list(model.parameters()))
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_other_networks_that_checkpoint_units_say_so_in_backward() -> None:
    plain = dict(type="RegNet", arch="regnetx_400mf", with_cp=True, norm_eval=False)
    net = SEBackbone(plain, r"layer\d\.\d+\.bn3", dict(padding="mask"))
    x = torch.randn(1, 3, 64, 64, requires_grad=True)
    with pytest.raises(ValueError, match="not again in backward, as with_cp"):
        sum(value.sum() for value in net(x)).backward()


REFUSED = {
    "stem pool": (dict(stem_pool="ceil"), "maxpool, a MaxPool2d, does not pad half a window"),
    "GN": (
        dict(norm_cfg=dict(type="GN", num_groups=4)),
        "gn1, a GroupNorm, takes its statistics over the padding too",
    ),
    "plugin": (
        dict(plugins=[dict(cfg=dict(type="ContextBlock", ratio=0.5), position="after_conv3")]),
        "layer1.0.context_block, a ContextBlock, may read padding in a way of its own",
    ),
    "ignoring plugin": (
        dict(plugins=[dict(cfg=dict(type="mmdet.SEBlock"), position="after_conv3")]),
        "layer1.0.se_block, a SEBlock, squeezes the padding too",
    ),
    "mixed stages": (
        dict(se_cfg=[dict(padding="exact"), {}, None, None]),
        r"has padding=\['exact', 'ignore'\]: expected 'exact' in all stages with SE, or in none",
    ),
    "other attention": (
        dict(se_cfg=[dict(padding="exact"), dict(type="TimmAttention", name="eca"), None, None]),
        r"layer2\.0\.se, a EcaModule, may read padding|padding=\['exact', 'ignore'\]",
    ),
    "unknown": (dict(se_cfg=dict(padding="mas")), r"padding='mas': expected one of \['ignore', 'm"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exact_is_refused_with_the_reason(case: str) -> None:
    options, message = copy.deepcopy(REFUSED[case])
    with pytest.raises(ValueError, match=message):
        SEResNet(50, **dict(se_cfg=dict(padding="exact")) | options)


def test_a_network_that_is_not_aligned_is_refused_as_it_runs() -> None:
    plain = dict(type="TimmBackbone", model_name="inception_resnet_v2", out_indices=(1, 2, 3, 4))
    units = r"timm_model\.repeat\.\d+\.conv2d"
    net = SEBackbone(plain, units, dict(padding="mask"), input_shape=(1, 3, 299, 299)).eval()
    with pytest.raises(ValueError, match=r"a map of 13 x 17 does not fit images of 128 x 160"):
        net(torch.randn(1, 3, 128, 160))


def test_whether_a_network_asks_for_sizes_is_told_by_its_config() -> None:
    assert SEResNet(18).padding == SEConfig().padding == "ignore"
    assert SEResNet(18, se_cfg=dict(padding="mask")).padding == "mask"
    assert not any(
        module._forward_pre_hooks for module in SEResNet(18, se_cfg=dict(padding="mask")).modules()
    )
