"""The folded unit against the unit whose gates are replaced by the constants."""

import itertools

import pytest
import torch
from torch import nn

from senet_mm.backbones import SENet, SEResNet, SEResNetV1d, SEResNeXt
from senet_mm.gates.fold import check_foldable, fold_gates
from senet_mm.gates.statistics import find_blocks

NETS = {
    "r18": (SEResNet, dict(depth=18)),
    "r50": (SEResNet, dict(depth=50)),
    "r50-caffe": (SEResNet, dict(depth=50, style="caffe", stem_pool="ceil")),
    "r50d": (SEResNetV1d, dict(depth=50)),
    "x50": (SEResNeXt, dict(depth=50, groups=32, base_width=4)),
    "senet154": (SENet, dict()),
}


def build(name: str, randomize, *, stages: int = 2, **options: object) -> nn.Module:
    """The first stages of a net, in float64 and eval mode."""
    kind, arguments = NETS[name]
    ours = dict(num_stages=stages, out_indices=(stages - 1,), strides=(1, 2)[:stages])
    net = kind(**arguments, **ours, dilations=(1,) * stages, **options)
    randomize(net).double()
    net.eval()
    return net


def fix_gates(net: nn.Module, gates: dict[str, torch.Tensor]) -> None:
    """Make the excitation of some blocks a constant."""
    for name, constants in gates.items():
        block = find_blocks(net)[name].module
        block.excite = lambda z, constants=constants: constants[None, :, None, None]


def assert_folding_is_exact(net: nn.Module, *, low: float = -1.0) -> None:
    """Fold seeded constants into every unit and compare."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 64, 48, dtype=torch.float64, generator=generator)
    blocks = find_blocks(net)
    gates = {
        name: torch.empty(block.module.fc2.out_channels)
        .double()
        .uniform_(low, 1, generator=generator)
        for name, block in blocks.items()
    }
    with torch.no_grad():
        learned = net(x)[0]
        fix_gates(net, gates)
        expected = net(x)[0]
        for name, block in blocks.items():
            unit = net.get_submodule(block.path.removesuffix(".se"))
            fold_gates(unit, gates[name])
            assert unit.se is None
        ours = net(x)[0]
    assert (learned - expected).norm() > 1e-3 * expected.norm()
    assert (ours - expected).norm() < 1e-12 * expected.norm()
    assert not any(".se." in key for key in net.state_dict())


@pytest.mark.parametrize(
    ("name", "placement"), list(itertools.product(NETS, ("standard", "conv2", "pre")))
)
def test_exact(name: str, placement: str, randomize) -> None:
    assert_folding_is_exact(build(name, randomize, se_cfg=dict(placement=placement)))


@pytest.mark.parametrize(
    "se_cfg",
    [
        dict(squeeze="max", bias=False),
        dict(squeeze="none"),
        dict(gate="tanh", placement="conv2"),
        dict(identity_init=True, gate="relu"),
    ],
)
def test_exact_for_every_kind_of_gate(se_cfg: dict, randomize) -> None:
    assert_folding_is_exact(build("r50", randomize, se_cfg=se_cfg, stages=1))


def test_a_positive_gate_commutes_with_the_relu_of_the_branch(randomize) -> None:
    assert_folding_is_exact(build("r18", randomize, se_cfg=dict(branch_relu=True)), low=0.0)
    net = build("r18", randomize, se_cfg=dict(branch_relu=True), stages=1)
    with pytest.raises(ValueError, match=r"1 of 64 gates are negative.*branch_relu=True"):
        fold_gates(net.layer1[0], torch.tensor([-0.1, *[1.0] * 63]))


def test_plugins_around_the_gate(randomize) -> None:
    plugins = [
        dict(cfg=dict(type="ContextBlock", ratio=0.25, postfix=p), position=p)
        for p in ("after_conv1", "after_conv2", "after_conv3")
    ]
    net = build("r50", randomize, se_cfg=dict(placement="conv2"), plugins=plugins)
    assert_folding_is_exact(net)
    for placement in ("standard", "pre"):
        net = build("r50", randomize, se_cfg=dict(placement=placement), plugins=plugins, stages=1)
        if placement == "pre":
            assert_folding_is_exact(net)
            continue
        with pytest.raises(ValueError, match=r"context_blockafter_conv3.*between its last norm"):
            check_foldable(net.layer1[0])


def test_group_norm(randomize) -> None:
    norm = dict(type="GN", num_groups=4)
    assert_folding_is_exact(build("r50", randomize, norm_cfg=norm, stages=1))


def test_identity_needs_a_projection(randomize) -> None:
    net = build("r50", randomize, se_cfg=dict(placement="identity"))
    with pytest.raises(ValueError, match="its shortcut has no layer"):
        check_foldable(net.layer1[1])
    for unit in (net.layer1[1], net.layer1[2], *list(net.layer2)[1:]):
        unit.remove_se()
    assert_folding_is_exact(net)


def test_what_cannot_take_constants_says_why(randomize) -> None:
    net = build("r50", randomize, se_cfg=dict(placement="post"), stages=1)
    with pytest.raises(ValueError, match=r"placement='post' gates the sum"):
        check_foldable(net.layer1[0])
    norm = dict(type="IN")
    net = build("r50", randomize, norm_cfg=norm, stages=1, norm_eval=False)
    with pytest.raises(ValueError, match="InstanceNorm2d before SE has no weight and bias"):
        check_foldable(net.layer1[0])
    standardized = dict(conv_cfg=dict(type="ConvWS"), se_cfg=dict(placement="pre"))
    net = build("r50", randomize, stages=1, **standardized)
    with pytest.raises(ValueError, match="ConvWS2d .* is no plain convolution"):
        check_foldable(net.layer1[0])
