"""Every placement, squeeze and gate against plain torch, written from the paper's figures."""

import copy
import itertools

import pytest
import torch
from mmdet.models.backbones.resnet import BasicBlock, Bottleneck
from mmdet.models.backbones.resnext import Bottleneck as ResNeXtBottleneck
from torch import Tensor, nn
from torch.nn import functional as F

from senet_mm.backbones.se_resnet import SEBasicBlock, SEBottleneck
from senet_mm.backbones.se_resnext import SEResNeXtBottleneck
from senet_mm.layers.functions import ACTIVATIONS, SQUEEZES
from senet_mm.layers.se_config import PLACEMENTS

FAMILIES = {
    "basic": (SEBasicBlock, BasicBlock, {}),
    "bottleneck": (SEBottleneck, Bottleneck, {}),
    "resnext": (SEResNeXtBottleneck, ResNeXtBottleneck, dict(groups=4, base_width=16)),
}
SIZES = [(2, 9, 7), (1, 1, 1)]


def make(family: str, se_cfg: dict | None, *, stride: int = 2, **options: object) -> nn.Module:
    """A seeded unit with a projection, 16 channels in, 16 planes."""
    torch.manual_seed(0)
    se_block, _, extra = FAMILIES[family]
    out = 16 * se_block.expansion
    downsample = nn.Sequential(nn.Conv2d(16, out, 1, stride, bias=False), nn.BatchNorm2d(out))
    unit = se_block(
        inplanes=16,
        planes=16,
        stride=stride,
        downsample=downsample,
        se_cfg=se_cfg,
        **extra,
        **options,
    )
    for module in unit.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 1.5)
    unit.eval()
    return unit.double()


def reference_se(unit: nn.Module, x: Tensor, squeeze: str, gate: str) -> Tensor:
    """Eq. 2 to 4 and the variants of section 6, written out."""
    n, c, h, w = x.shape
    z = {
        "avg": lambda: x.sum((2, 3), keepdim=True) / (h * w),
        "max": lambda: x.reshape(n, c, h * w).max(dim=2).values.reshape(n, c, 1, 1),
        "none": lambda: x,
    }[squeeze]()
    fc1, fc2 = unit.se.fc1, unit.se.fc2

    def fully_connected(layer: nn.Conv2d, value: Tensor) -> Tensor:
        out = torch.einsum("oi,nihw->nohw", layer.weight[:, :, 0, 0], value)
        return out if layer.bias is None else out + layer.bias[:, None, None]

    logits = fully_connected(fc2, fully_connected(fc1, z).clamp(min=0))
    s = {
        "sigmoid": lambda: 1 / (1 + torch.exp(-logits)),
        "tanh": lambda: (torch.exp(2 * logits) - 1) / (torch.exp(2 * logits) + 1),
        "relu": lambda: logits.clamp(min=0),
        "hard_sigmoid": lambda: (logits / 6 + 0.5).clamp(0, 1),
    }[gate]()
    return x * s


def reference_unit(unit: nn.Module, x: Tensor, placement: str, squeeze: str, gate: str) -> Tensor:
    """Fig. 5 and Table 15, written out."""

    def se(value: Tensor, at: str) -> Tensor:
        return reference_se(unit, value, squeeze, gate) if at == placement else value

    out = se(x, "pre")
    if hasattr(unit, "conv3"):
        out = F.relu(unit.norm1(unit.conv1(out)))
        out = se(F.relu(unit.norm2(unit.conv2(out))), "conv2")
        out = unit.norm3(unit.conv3(out))
    else:
        out = F.relu(unit.norm1(unit.conv1(out)))
        out = se(unit.norm2(unit.conv2(out)), "conv2")
    out = se(out, "standard") + se(unit.downsample(x), "identity")
    return se(F.relu(out), "post")


@pytest.mark.parametrize(
    ("family", "placement", "squeeze", "gate"),
    list(itertools.product(FAMILIES, PLACEMENTS, SQUEEZES, ACTIVATIONS)),
)
@pytest.mark.parametrize("size", SIZES)
def test_values_and_gradients(family, placement, squeeze, gate, size) -> None:
    unit = make(family, dict(placement=placement, squeeze=squeeze, gate=gate, reduction=4))
    x = torch.randn(size[0], 16, *size[1:], dtype=torch.float64, requires_grad=True)
    weight = torch.randn_like(unit(x))
    wanted = [x, *unit.parameters()]
    ours = torch.autograd.grad((unit(x) * weight).sum(), wanted)
    expected = reference_unit(unit, x, placement, squeeze, gate)
    theirs = torch.autograd.grad((expected * weight).sum(), wanted)
    torch.testing.assert_close(unit(x), expected, rtol=1e-10, atol=1e-12)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.isfinite().all()
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("family", "placement"), list(itertools.product(FAMILIES, PLACEMENTS)))
def test_checkpointing_channels_last_and_autocast(family: str, placement: str) -> None:
    se_cfg = dict(placement=placement, reduction=4)
    unit, twin = make(family, se_cfg), make(family, se_cfg, with_cp=True)
    x = torch.randn(2, 16, 9, 7, dtype=torch.float64, requires_grad=True)
    first = torch.autograd.grad(unit(x).square().sum(), [x, *unit.parameters()])
    second = torch.autograd.grad(twin(x).square().sum(), [x, *twin.parameters()])
    for ours, theirs in zip(first, second, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    last = unit(x.to(memory_format=torch.channels_last))
    torch.testing.assert_close(last, unit(x), rtol=1e-10, atol=1e-12)
    unit.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = unit(x.float())
    torch.testing.assert_close(half.float(), unit(x.float()), rtol=0.05, atol=0.1)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_group_norm_and_sync_batch_norm(family: str, placement: str) -> None:
    se_cfg, x = dict(placement=placement, reduction=4), torch.randn(2, 16, 5, 5).double()
    unit = make(family, se_cfg, norm_cfg=dict(type="GN", num_groups=4))
    unit.train()
    unit(x).square().sum().backward()
    assert_gradients(unit)
    # SyncBN trains on GPUs alone; frozen, as mmdet's norm_eval has it, it runs anywhere
    sync, plain = make(family, se_cfg, norm_cfg=dict(type="SyncBN")), make(family, se_cfg)
    sync.load_state_dict(plain.state_dict())
    torch.testing.assert_close(sync(x), plain(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("family", ["bottleneck", "resnext"])
def test_dcn_and_plugins(family: str, placement: str) -> None:
    plugins = [
        dict(cfg=dict(type="ContextBlock", ratio=0.25, postfix=position), position=position)
        for position in ("after_conv1", "after_conv2", "after_conv3")
    ]
    dcn = dict(type="DCNv2", deform_groups=1)
    unit = make(family, dict(placement=placement, reduction=4), plugins=plugins, dcn=dcn)
    seen = []
    for name in ("context_blockafter_conv1", "context_blockafter_conv3", "conv2", "se"):
        getattr(unit, name).register_forward_hook(lambda *args, name=name: seen.append(name))
    unit(torch.randn(2, 16, 9, 7, dtype=torch.float64)).square().sum().backward()
    assert len(set(seen)) == 4, "built but not run"
    assert_gradients(unit.se)
    assert all(parameter.grad.isfinite().all() for parameter in unit.parameters())


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_projection(family: str, placement: str) -> None:
    """A unit whose shortcut is the identity: the shortcut must not be changed in place."""
    se_block, _, extra = FAMILIES[family]
    width = 16 * se_block.expansion
    torch.manual_seed(0)
    unit = se_block(width, 16, se_cfg=dict(placement=placement, reduction=4), **extra).double()
    unit.downsample = nn.Identity()  # for the reference
    x = torch.randn(2, width, 5, 5, dtype=torch.float64)
    before = x.clone()
    unit.eval()
    expected = reference_unit(unit, x, placement, "avg", "sigmoid")
    unit.downsample = None
    torch.testing.assert_close(unit(x), expected, rtol=1e-10, atol=1e-12)
    assert torch.equal(x, before)


def assert_gradients(unit: nn.Module) -> None:
    for name, parameter in unit.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_block_has_the_channels_of_its_place(placement: str) -> None:
    unit = make("bottleneck", dict(placement=placement, reduction=4))
    assert unit.se.fc1.in_channels == {"pre": 16, "conv2": 16}.get(placement, 64)


def test_no_se_is_the_plain_unit() -> None:
    unit = make("bottleneck", None)
    x = torch.randn(1, 16, 5, 5, dtype=torch.float64)
    assert torch.equal(unit(x), Bottleneck.forward(copy.deepcopy(unit), x))


def test_an_unknown_placement_is_named() -> None:
    with pytest.raises(ValueError, match=r"placement='before': expected one of \['standard'"):
        make("basic", dict(placement="before"))


@pytest.mark.parametrize("family", FAMILIES)
def test_without_its_se_a_unit_is_plain_but_keeps_the_relu_of_its_branch(family: str) -> None:
    x = torch.randn(1, 16, 5, 5, dtype=torch.float64)
    for placement in PLACEMENTS:
        unit = make(family, dict(placement=placement, reduction=4))
        unit.remove_se()
        assert not any("se." in key for key in unit.state_dict())
        plain = FAMILIES[family][1].forward(copy.deepcopy(unit), x)
        assert torch.equal(unit(x), plain)
    unit = make(family, dict(branch_relu=True, reduction=4), with_cp=True)
    unit.remove_se()
    branch = unit.last(unit.first(x)).clamp(min=0)
    expected = (branch + unit.downsample(x)).clamp(min=0)
    torch.testing.assert_close(unit(x), expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(unit(x.requires_grad_()), expected, rtol=1e-12, atol=1e-12)
