import pytest
import timm
import torch
from mmdet.models.backbones import ResNeXt

from senet_mm.backbones import SEResNeXt


@pytest.mark.parametrize(
    ("depth", "groups", "base_width", "millions"),
    [(50, 32, 4, 27.56), (101, 32, 4, 48.96), (101, 64, 4, 88.23)],
)
@pytest.mark.usefixtures("shapes_alone")
def test_parameter_counts(depth: int, groups: int, base_width: int, millions: float) -> None:
    model = SEResNeXt(depth=depth, groups=groups, base_width=base_width)
    total = sum(parameter.numel() for parameter in model.parameters()) + 2049 * 1000
    assert total / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize("depth", [50, 101])
@pytest.mark.slow
def test_forward_equals_timm(depth: int, randomize) -> None:
    peer = randomize(
        timm.create_model(f"seresnext{depth}_32x4d", features_only=True, out_indices=(1, 2, 3, 4))
    )
    model = SEResNeXt(depth=depth, groups=32, base_width=4)
    model.load_state_dict(peer.state_dict())
    peer.eval()
    model.eval()
    x = torch.randn(1, 3, 97, 65, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(model(x), peer(x), strict=True):
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


def test_without_se_it_is_mmdets_resnext(randomize) -> None:
    options = dict(depth=50, groups=32, base_width=4)
    plain, model = randomize(ResNeXt(**options)), SEResNeXt(**options, se_cfg=[None] * 4)
    model.load_state_dict(plain.state_dict())
    plain.eval()
    model.eval()
    x = torch.randn(1, 3, 64, 64)
    for ours, theirs in zip(model(x), plain(x), strict=True):
        assert torch.equal(ours, theirs)


def test_zero_init_reaches_the_last_norm_where_it_is_asked_for() -> None:
    model = SEResNeXt(depth=50, groups=32, base_width=4, zero_init_residual=True)
    model.init_weights()
    assert all((block.bn3.weight == 0).all() for block in model.layer2)


def test_dcn_and_plugins() -> None:
    model = SEResNeXt(
        depth=50,
        groups=32,
        base_width=4,
        dcn=dict(type="DCN", deform_groups=1),
        stage_with_dcn=(False, False, False, True),
        plugins=[dict(cfg=dict(type="ContextBlock", ratio=1 / 4), position="after_conv2")],
    )
    sum(out.mean() for out in model(torch.randn(2, 3, 64, 64))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_depth_18_is_refused() -> None:
    with pytest.raises(ValueError, match=r"depth=18: expected one of \[50, 101, 152\]"):
        SEResNeXt(depth=18)
