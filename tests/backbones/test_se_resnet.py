import copy
import warnings

import pytest
import timm
import torch
from mmdet.models.backbones import ResNet, ResNetV1d, ResNeXt
from mmdet.registry import MODELS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from senet_mm.backbones import SENet, SEResNet, SEResNetV1d, SEResNeXt
from senet_mm.layers.se_config import PLACEMENTS

# timm rounds 64 / 16 hidden channels up to 8
TIMM_SE_CFG = {
    18: [dict(squeeze_channels=8), {}, {}, {}],
    34: [dict(squeeze_channels=8), {}, {}, {}],
}


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("depth", "with_classifier"),
    [(18, 11_778_592), (34, 21_958_868), (50, 28_088_024), (101, 49_326_872), (152, 66_821_848)],
)
@pytest.mark.usefixtures("shapes_alone")
def test_parameter_counts_of_the_paper(depth: int, with_classifier: int) -> None:
    model = SEResNet(depth)
    classifier = (model.feat_dim + 1) * 1000
    assert parameters(model) + classifier == with_classifier


@pytest.mark.usefixtures("shapes_alone")
def test_eq_5_without_biases_and_per_stage() -> None:
    plain = parameters(ResNet(50))
    assert parameters(SEResNet(50, se_cfg=dict(bias=False))) - plain == 2_514_944
    assert parameters(SEResNet(50)) - plain == 2_530_992
    for stage, count in enumerate((25_392, 133_248, 792_960, 1_579_392)):
        se_cfg = [{} if i == stage else None for i in range(4)]
        assert parameters(SEResNet(50, se_cfg=se_cfg)) - plain == count


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_forward_equals_timm(depth: int, randomize) -> None:
    peer = randomize(
        timm.create_model(f"seresnet{depth}", features_only=True, out_indices=(1, 2, 3, 4))
    )
    model = SEResNet(depth, se_cfg=TIMM_SE_CFG.get(depth, {}))
    model.load_state_dict(peer.state_dict())
    peer.eval()
    model.eval()
    x = torch.randn(2, 3, 97, 65, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(model(x), peer(x), strict=True):
            assert theirs.std() > 0.1
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


@pytest.mark.parametrize(
    ("output_stride", "strides", "dilations"),
    [(8, (1, 2, 1, 1), (1, 1, 2, 4)), (16, (1, 2, 2, 1), (1, 1, 1, 2))],
)
def test_dilated_forward_equals_timm(
    output_stride: int, strides: tuple[int, ...], dilations: tuple[int, ...], randomize
) -> None:
    """timm lets the first unit of a stage keep the dilation of the stage before: half."""
    options = dict(features_only=True, out_indices=(1, 2, 3, 4), output_stride=output_stride)
    peer = randomize(timm.create_model("seresnet50", **options)).eval()
    model = SEResNet(50, strides=strides, dilations=dilations, contract_dilation=True)
    model.load_state_dict(peer.state_dict())
    model.eval()
    x = torch.randn(1, 3, 97, 65, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for ours, theirs in zip(model(x), peer(x), strict=True):
            assert theirs.std() > 0.1
            assert (ours - theirs).norm() <= 1e-5 * theirs.norm()


@pytest.mark.parametrize("depth", [18, 50])
def test_gradients_equal_timm(depth: int, randomize) -> None:
    peer = randomize(
        timm.create_model(f"seresnet{depth}", features_only=True, out_indices=(4,))
    ).double()
    model = SEResNet(
        depth, se_cfg=TIMM_SE_CFG.get(depth, {}), out_indices=(3,), norm_eval=False
    ).double()
    model.load_state_dict(peer.state_dict())
    peer.train()
    model.train()
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    model(x)[-1].square().mean().backward()
    peer(x)[-1].square().mean().backward()
    theirs = dict(peer.named_parameters())
    for name, parameter in model.named_parameters():
        grad = theirs[name].grad
        assert (parameter.grad - grad).norm() <= 1e-8 * grad.norm(), name


@pytest.mark.parametrize("depth", [18, 50])
def test_without_se_it_is_mmdets_resnet(depth: int, randomize) -> None:
    plain = randomize(ResNet(depth))
    model = SEResNet(depth, se_cfg=[None] * 4)
    model.load_state_dict(plain.state_dict())
    plain.eval()
    model.eval()
    x = torch.randn(1, 3, 64, 64)
    for ours, theirs in zip(model(x), plain(x), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("gate", ["sigmoid", "relu"])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_identity_init_on_plain_weights_is_the_plain_net(depth, gate, placement, randomize) -> None:
    plain = randomize(ResNet(depth))
    model = SEResNet(depth, se_cfg=dict(gate=gate, placement=placement, identity_init=True))
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(".se." in key for key in missing)
    plain.eval()
    model.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, theirs in zip(model(x), plain(x), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_identity_init_learns_from_there(randomize) -> None:
    torch.manual_seed(0)
    model = SEResNet(18, se_cfg=dict(identity_init=True), norm_eval=False)
    model.init_weights()
    before = {k: v.clone() for k, v in model.named_parameters() if ".se." in k}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    x, target = torch.randn(4, 3, 64, 64), torch.randn(4, 512)
    losses = []
    for _ in range(8):
        loss = (model(x)[-1].mean((2, 3)) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    moved = [
        k for k, v in model.named_parameters() if ".se." in k and not torch.equal(v, before[k])
    ]
    assert len(moved) == len(before)


@pytest.mark.parametrize(
    "options",
    [
        dict(deep_stem=True),
        dict(avg_down=True),
        dict(style="caffe"),
        dict(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
        dict(
            plugins=[
                dict(cfg=dict(type="ContextBlock", ratio=0.25, postfix=p), position=p)
                for p in ("after_conv1", "after_conv2", "after_conv3")
            ]
        ),
    ],
)
def test_options_of_mmdet_act_on_the_branch_as_in_mmdet(options: dict, randomize) -> None:
    """With gates forced to one half, SE-ResNet is mmdet's ResNet with its branches halved."""
    options = copy.deepcopy(options)
    plain = ResNet(50, **copy.deepcopy(options))
    model = SEResNet(50, **options)
    randomize(plain)
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert all(".se." in key for key in missing) and not unexpected
    for name, parameter in model.named_parameters():
        if ".se.fc2." in name:
            nn.init.zeros_(parameter)
    if "plugins" in options:  # they come between the last norm and SE: they see the unhalved branch
        for block in plain.modules():
            if hasattr(block, "after_conv3_plugins"):
                block.forward_plugin = _halve_after_conv3(block)
    else:
        for name, module in plain.named_modules():
            if name.endswith(("bn3", "norm3")):
                module.weight.data.mul_(0.5)
                module.bias.data.mul_(0.5)
    plain.eval()
    model.eval()
    x = torch.randn(1, 3, 65, 97)
    with torch.no_grad():
        for ours, theirs in zip(model(x), plain(x), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def _halve_after_conv3(block: nn.Module):
    original = type(block).forward_plugin

    def forward_plugin(x, names):
        out = original(block, x, names)
        return out * 0.5 if names == block.after_conv3_plugin_names else out

    return forward_plugin


@pytest.mark.parametrize("depth", [18, 50])
def test_checkpointing_changes_no_value_or_gradient(depth: int, randomize) -> None:
    model = randomize(SEResNet(depth, norm_eval=True)).double()
    twin = SEResNet(depth, norm_eval=True, with_cp=True).double()
    twin.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 33, 33, dtype=torch.float64, requires_grad=True)
    for net in (model, twin):
        net.train()
        sum(out.square().mean() for out in net(x)).backward()
    pairs = zip(model.named_parameters(), twin.parameters(), strict=True)
    for (name, ours), theirs in pairs:
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-10, atol=1e-12, msg=name)


def test_frozen_stages_and_norm_eval_reach_the_se_blocks() -> None:
    model = SEResNet(18, frozen_stages=2, norm_eval=True)
    model.train()
    for name, parameter in model.named_parameters():
        frozen = name.startswith(("conv1", "bn1", "layer1", "layer2"))
        assert parameter.requires_grad != frozen, name
    assert any(".se." in name for name, p in model.named_parameters() if not p.requires_grad)
    assert not any(module.training for module in model.modules() if isinstance(module, _BatchNorm))
    assert model.layer3.training and not model.layer2.training


def test_dcn_replaces_the_3x3_and_keeps_se() -> None:
    model = SEResNet(
        50, dcn=dict(type="DCNv2", deform_groups=1), stage_with_dcn=(False, False, False, True)
    )
    assert type(model.layer4[0].conv2).__name__ == "ModulatedDeformConv2dPack"
    assert model.layer4[0].se is not None
    out = model(torch.randn(1, 3, 64, 64))[-1]
    out.mean().backward()
    assert model.layer4[0].conv2.conv_offset.weight.grad.isfinite().all()
    assert model.layer4[0].se.fc1.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(("depth", "norm"), [(18, "bn2"), (50, "bn3")])
@pytest.mark.parametrize("zero_init", [True, False])
def test_zero_init_residual(depth: int, norm: str, zero_init: bool) -> None:
    model = SEResNet(depth, zero_init_residual=zero_init)
    model.init_weights()
    for block in [*model.layer1, *model.layer4]:
        assert (getattr(block, norm).weight == (0 if zero_init else 1)).all()
        assert block.se.fc1.weight.std() > 0


def test_pretrained_weights_are_not_zeroed(tmp_path, randomize) -> None:
    saved = randomize(SEResNet(18))
    torch.save(saved.state_dict(), tmp_path / "net.pth")
    model = SEResNet(18, init_cfg=dict(type="Pretrained", checkpoint=str(tmp_path / "net.pth")))
    model.init_weights()
    for key, value in model.state_dict().items():
        assert torch.equal(value, saved.state_dict()[key]), key


def test_out_indices_and_num_stages() -> None:
    model = SEResNet(18, num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), out_indices=(0, 2))
    shapes = [tuple(out.shape) for out in model(torch.randn(1, 3, 64, 96))]
    assert shapes == [(1, 64, 16, 24), (1, 256, 4, 6)]
    assert not hasattr(model, "layer4")


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (1, 1)])
def test_odd_and_tiny_inputs_and_gradients(size: tuple[int, int], randomize) -> None:
    model = randomize(SEResNet(18))
    model.train()
    outs = model(torch.randn(1, 3, *size))
    sum(out.square().mean() for out in outs).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all(), name


def test_random_frozen_weights_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="no pretrained init_cfg"):
        SEResNet(18, frozen_stages=1).init_weights()
    with pytest.warns(UserWarning, match="norm_eval=True but no pretrained"):
        SEResNet(18, norm_eval=True).init_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SEResNet(18, norm_eval=False).init_weights()
        SEResNet(18, norm_cfg=dict(type="GN", num_groups=4)).init_weights()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(depth=20), ValueError, r"depth=20: expected one of \[18, 34, 50, 101, 152\]"),
        (dict(depth=[]), ValueError, r"depth=\[\]: expected one of \[18, "),
        (dict(depth=50, num_stages=5), ValueError, "num_stages=5"),
        (dict(depth=50, strides=2), ValueError, "strides=2: expected one value per stage"),
        (dict(depth=50, num_stages=3), ValueError, "strides.*num_stages=3"),
        (dict(depth=50, dilations=(1, 1)), ValueError, r"dilations=\(1, 1\).*num_stages=4"),
        (
            dict(depth=18, se_cfg=dict(reduction=65)),
            ValueError,
            "layer1 of SEResNet: reduction=65",
        ),
        (dict(depth=50, se_cfg=[{}] * 3), ValueError, "3 entries: expected 4"),
        (
            dict(depth=50, frozen_stage=1),
            TypeError,
            "SEResNet takes no 'frozen_stage'; the nearest are frozen_stages",
        ),
        (dict(depth=18, base=8), TypeError, "takes no 'base'; .*base_channels"),
        (dict(depth=18, zzz=8), TypeError, "takes no 'zzz'; it takes avg_down, base_channels, "),
        (dict(depth=18, norm_cfg="BN"), TypeError, "norm_cfg='BN': expected a dict with a type"),
        (
            dict(depth=18, norm_cfg=dict(type="BatchNorm")),
            ValueError,
            "norm_cfg has type='BatchNorm': expected one of BN, .*SyncBN, GN",
        ),
        (dict(depth=18, out_indices=3), ValueError, r"out_indices=3: expected stages 0 to 3"),
        (dict(depth=18, out_indices=()), ValueError, r"out_indices=\(\): expected stages 0 to 3"),
        (
            dict(depth=50, out_indices=(4,)),
            ValueError,
            r"out_indices=\(4,\): expected stages 0 to 3",
        ),
        (dict(depth=50, style="torch"), ValueError, "style='torch'"),
        (dict(depth=50, frozen_stages=5), ValueError, "frozen_stages=5: expected one of"),
        (dict(depth=50, stem_pool="same"), ValueError, "stem_pool='same': expected one of"),
        (dict(depth=50, se_cfg=dict(reduction=16.0)), TypeError, "layer1.*reduction=16.0"),
        (
            dict(
                depth=50, num_stages=3, strides=(1, 2, 2), dilations=(1, 1, 1), dcn=dict(type="DCN")
            ),
            ValueError,
            "stage_with_dcn.*num_stages=3",
        ),
        (
            dict(depth=18, se_cfg=[{}, dict(placement="pre", branch_relu=True), {}, {}]),
            ValueError,
            "layer2.*branch_relu=True with placement='pre'",
        ),
    ],
)
def test_bad_arguments_are_named(options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MODELS.build(dict(type="SEResNet", **options))


@pytest.mark.parametrize("depth", [18, 50])
def test_blocks_choose_the_units_with_se(depth: int, randomize) -> None:
    """Units that have none compute what those of a net with gates of one do."""
    full = randomize(SEResNet(depth))
    model = SEResNet(depth, se_cfg=[dict(blocks=(1,)), dict(blocks=[0]), None, {}])
    without = [full.layer1[0], *list(full.layer1)[2:], *list(full.layer2)[1:], *full.layer3]
    for unit in without:
        unit.se.excite = torch.ones_like
    missing, unexpected = model.load_state_dict(full.state_dict(), strict=False)
    assert not missing and len(unexpected) == 4 * len(without)
    full.eval()
    model.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for ours, expected in zip(model(x), full(x), strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)


def test_bad_blocks_name_the_stage() -> None:
    for backbone, stage in ((SEResNet, 3), (SEResNeXt, 4)):
        se_cfg = [{}] * (stage - 1) + [dict(blocks=(6,))] + [{}] * (4 - stage)
        with pytest.raises(ValueError, match=rf"layer{stage} of .*: blocks=\(6,\): expected each"):
            backbone(50, se_cfg=se_cfg)
    with pytest.raises(ValueError, match="layer1: blocks=.*expected one or more"):
        SEResNet(50, se_cfg=dict(blocks=[]))


@pytest.mark.parametrize(
    ("plain", "se", "options"),
    [
        (ResNet, SEResNet, dict(depth=18)),
        (ResNet, SEResNet, dict(depth=50)),
        (ResNet, SEResNet, dict(depth=50, zero_init_residual=False)),
        (ResNetV1d, SEResNetV1d, dict(depth=50)),
        (ResNeXt, SEResNeXt, dict(depth=50, groups=32, base_width=4)),
    ],
)
def test_twins_start_alike(plain, se, options: dict) -> None:
    nets = plain(**options), se(**options)
    for net in nets:
        net.init_weights()
    ours = nets[1].state_dict()
    for key, value in nets[0].state_dict().items():
        if value.ndim < 2 and value.dtype.is_floating_point:  # norms; the rest is random
            assert torch.equal(ours[key], value), key
        elif value.ndim > 1:
            torch.testing.assert_close(ours[key].std(), value.std(), rtol=0.1, atol=0)


@pytest.mark.parametrize("kind", [SEResNet, SEResNeXt, SENet])
def test_train_and_eval_return_the_backbone(kind: type[nn.Module]) -> None:
    net = kind(154 if kind is SENet else 50)
    assert net.train() is net and net.training and net.layer1[0].se.training
    assert net.eval() is net and not net.training and not net.layer1[0].se.training
