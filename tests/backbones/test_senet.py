"""SENet-154 and the released geometries, against timm with copied weights."""

import re

import pytest
import timm
import torch
from torch import Tensor, nn

from senet_mm.backbones import SENet, SEResNet, SEResNetV1d, SEResNeXt

# timm's names on the left, ours on the right
DEEP_STEM = {r"^conv1\.(\d)": r"stem.\1", r"^bn1\.": "stem.7."}
LEGACY = {r"^layer0\.": "", r"\.se_module\.": ".se."}
LEGACY_DEEP = {
    r"^layer0\.conv1": "stem.0",
    r"^layer0\.bn1": "stem.1",
    r"^layer0\.conv2": "stem.3",
    r"^layer0\.bn2": "stem.4",
    r"^layer0\.conv3": "stem.6",
    r"^layer0\.bn3": "stem.7",
    r"\.se_module\.": ".se.",
}
CAFFE = dict(stem_pool="ceil", style="caffe")
X32 = dict(groups=32, base_width=4)
CASES = [
    ("seresnet152d", SEResNetV1d, dict(depth=152), DEEP_STEM),
    ("senet154", SENet, dict(), DEEP_STEM),
    ("legacy_senet154", SENet, dict(stem_pool="ceil"), LEGACY_DEEP),
    *(
        (
            f"legacy_seresnet{depth}",
            SEResNet,
            dict(depth=depth, stem_pool="ceil", se_cfg=dict(branch_relu=True)),
            LEGACY,
        )
        for depth in (18, 34)
    ),
    *(
        (f"legacy_seresnet{depth}", SEResNet, dict(depth=depth, **CAFFE), LEGACY)
        for depth in (50, 101, 152)
    ),
    *(
        (
            f"legacy_seresnext{depth}_32x4d",
            SEResNeXt,
            dict(depth=depth, stem_pool="ceil", **X32),
            LEGACY,
        )
        for depth in (50, 101)
    ),
]


def renamed(weights: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    out = {}
    for key, value in weights.items():
        if key.startswith(("fc.", "last_linear.")):
            continue
        for pattern, name in names.items():
            key = re.sub(pattern, name, key)
        out[key] = value
    return out


def stage_maps(peer: nn.Module, x: Tensor) -> list[Tensor]:
    """What each of the four stages of a timm net puts out."""
    maps: list[Tensor] = []
    hooks = [
        getattr(peer, f"layer{stage}").register_forward_hook(lambda *args: maps.append(args[2]))
        for stage in (1, 2, 3, 4)
    ]
    peer.forward_features(x)
    for hook in hooks:
        hook.remove()
    return maps


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backbone", "options", "names"), CASES)
def test_forward_equals_timm(name, backbone, options, names, randomize) -> None:
    peer = randomize(timm.create_model(name, pretrained=False))
    model = backbone(**options)
    model.load_state_dict(renamed(peer.state_dict(), names))
    peer.eval()
    model.eval()
    x = torch.randn(1, 3, 98, 65, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(model(x), stage_maps(peer, x), strict=True):
            assert theirs.std() > 0.1
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


def test_another_geometry_loads_and_computes_something_else(randomize) -> None:
    """Why geometry is explicit: stride and pooling are not in a state dict."""
    peer = randomize(timm.create_model("legacy_seresnet50", pretrained=False))
    weights = renamed(peer.state_dict(), LEGACY)
    peer.eval()
    x = torch.randn(1, 3, 98, 65, generator=torch.Generator().manual_seed(1))
    for options in (dict(stem_pool="ceil"), dict(style="caffe")):
        model = SEResNet(50, **options)
        model.load_state_dict(weights)
        model.eval()
        with torch.no_grad():
            ours, theirs = model(x)[-1], stage_maps(peer, x)[-1]
        assert ours.shape != theirs.shape or (ours - theirs).norm() > 0.05 * theirs.norm()


@pytest.mark.usefixtures("shapes_alone")
def test_parameter_count() -> None:
    model = SENet()
    total = sum(parameter.numel() for parameter in model.parameters())
    peer = timm.create_model("senet154", pretrained=False)
    assert total + 2049 * 1000 == sum(parameter.numel() for parameter in peer.parameters())
    assert round((total + 2049 * 1000) / 1e6, 2) == 115.09


@pytest.mark.slow
def test_senet_takes_dilation_dcn_and_zero_init() -> None:
    model = SENet(
        strides=(1, 2, 2, 1),
        dilations=(1, 1, 1, 2),
        dcn=dict(type="DCNv2", deform_groups=1),
        stage_with_dcn=(False, False, False, True),
        zero_init_residual=True,
    )
    model.init_weights()
    assert (model.layer3[0].bn3.weight == 0).all()
    assert type(model.layer4[0].conv2).__name__ == "ModulatedDeformConv2dPack"
    assert model.layer4[0].downsample[0].kernel_size == (3, 3)
    with torch.no_grad():
        outs = model(torch.randn(1, 3, 64, 64))
    assert [out.shape[-1] for out in outs] == [16, 8, 4, 4]


@pytest.mark.parametrize("position", ["after_conv1", "after_conv2", "after_conv3"])
def test_plugins_have_the_width_of_their_place(position: str) -> None:
    plugin = dict(cfg=dict(type="ContextBlock", ratio=0.25), position=position)
    model = SENet(plugins=[plugin], num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    assert model(torch.randn(1, 3, 32, 32))[0].shape == (1, 256, 8, 8)


def test_depth_50_is_refused() -> None:
    with pytest.raises(ValueError, match=r"depth=50: expected one of \[154\]"):
        SENet(depth=50)
