"""The fast path against the reference path, which test_residual.py checks: values, gradients."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable

import pytest
import torch
from mmdet.models.backbones import ResNet, ResNeXt
from mmengine.model.efficient_conv_bn_eval import turn_on_efficient_conv_bn_eval
from mmengine.utils import digit_version
from torch import Tensor, nn

from senet_mm.backbones import SEResNet, SEResNeXt
from senet_mm.layers.fast_path import autograd, tails

from .units import UNITS, WIDTH, assert_equal, gradients, make, reference

# above 2 * 16 positions a bottleneck's last convolution is not stored
SIZES = [(2, 9, 7), (1, 17, 13), (3, 1, 1), (2, 3, 5)]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


@pytest.fixture
def taken(monkeypatch) -> list[str]:
    """The names of the fused steps that run."""
    names = []
    for kind in (
        autograd.GateSum,
        autograd.BatchNormGateSum,
        tails.NormTail,
        tails.ConvTail,
    ):

        def apply(*args: object, kind: type = kind, original: Callable = kind.apply) -> Tensor:
            names.append(kind.__name__)
            return original(*args)

        monkeypatch.setattr(kind, "apply", apply)
    return names


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("stride", "project"), [(1, False), (1, True), (2, True)])
@pytest.mark.parametrize("family", UNITS)
def test_units(family, stride, project, training, size, dtype, taken) -> None:
    if training and size[1] <= 3:
        size = (4, 4, 5)  # batch norm needs more than a few values
    unit = make(family, stride=stride, project=project, training=training).to(dtype)
    twin = reference(unit)
    x = torch.randn(size[0], WIDTH[family], *size[1:], dtype=dtype)
    theirs = gradients(twin, x)
    assert not taken
    assert_equal(gradients(unit, x), theirs, TOLERANCE[dtype])
    positions = -(-size[1] // stride) * -(-size[2] // stride)
    ahead = family != "basic" and positions > 2 * 16
    kind = "BatchNormGateSum" if training else "ConvTail" if ahead else "NormTail"
    assert taken == [kind]
    for (name, ours), value in zip(unit.named_buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(ours, value, msg=name)  # running statistics
    with torch.no_grad():
        torch.testing.assert_close(unit(x), twin(x), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "depth", "dtype"),
    [
        *itertools.product(["resnet"], [18, 50], [torch.float32, torch.float64]),
        ("resnet", 34, torch.float64),
        ("resnet", 101, torch.float64),
        ("resnet", 152, torch.float64),
        ("resnext", 50, torch.float32),
    ],
)
@pytest.mark.parametrize("frozen", [True, False])
def test_backbones(kind, depth, dtype, frozen, randomize) -> None:
    options = dict(groups=8, base_width=4) if kind == "resnext" else {}
    net = (SEResNeXt if kind == "resnext" else SEResNet)(depth, norm_eval=True, **options)
    net = randomize(net).to(dtype)
    net.train()
    if frozen:
        for name, parameter in net.named_parameters():
            parameter.requires_grad = not name.endswith(("bn1.weight", "bn2.bias", "bn3.weight"))
    x = torch.randn(2, 3, 65, 97, generator=torch.Generator().manual_seed(2)).to(dtype)
    if dtype == torch.float64:
        assert_equal(gradients(net, x), gradients(reference(net), x), 1e-10)
        return
    # float32 gradients of a deep net differ between any two orders of summation
    exact = gradients(reference(net).double(), x.double())
    for name, ours, theirs in triples(gradients(net, x), gradients(reference(net), x)):
        error, usual = ((value - exact[name]).norm() for value in (ours, theirs))
        assert error <= max(1e-5 * exact[name].norm(), 2 * usual), name


def triples(ours: dict, theirs: dict) -> list[tuple[str, Tensor, Tensor]]:
    return [(name, ours[name], theirs[name]) for name in theirs]


@pytest.mark.parametrize("squeeze", ["avg", "max"])
@pytest.mark.parametrize("gate", ["sigmoid", "tanh", "relu", "hard_sigmoid"])
@pytest.mark.parametrize("identity_init", [False, True])
def test_gates(squeeze: str, gate: str, identity_init: bool, taken) -> None:
    se_cfg = dict(squeeze=squeeze, gate=gate, identity_init=identity_init)
    unit = make("bottleneck", se_cfg=se_cfg)
    nn.init.normal_(unit.se.fc2.weight, std=0.1)
    x = torch.randn(2, 64, 9, 7).double()
    assert_equal(gradients(unit, x), gradients(reference(unit), x), 1e-10)
    assert taken == ["ConvTail" if squeeze == "avg" else "GateSum"]


def hook(module: nn.Module) -> None:
    module.register_forward_hook(lambda *args: None)


CASES = {
    "option": (dict(se_cfg=dict(fused=False)), None, []),
    "squeeze none": (dict(se_cfg=dict(squeeze="none")), None, []),
    "branch_relu": (dict(se_cfg=dict(branch_relu=True)), None, []),
    "placement": (dict(se_cfg=dict(placement="pre")), None, []),
    "se hooked": ({}, lambda unit: hook(unit.se), []),
    "relu hooked": ({}, lambda unit: hook(unit.relu), []),
    "fc hooked": ({}, lambda unit: hook(unit.se.fc1), ["GateSum"]),
    "conv hooked": ({}, lambda unit: hook(unit.conv3), ["GateSum"]),
    "norm hooked": ({}, lambda unit: hook(unit.norm3), ["GateSum"]),
    "spectral norm": (
        {},
        lambda unit: nn.utils.parametrizations.spectral_norm(unit.conv3),
        ["GateSum"],
    ),
    "group norm": (dict(norm_cfg=dict(type="GN", num_groups=4)), None, ["GateSum"]),
    "frozen SyncBN": (dict(norm_cfg=dict(type="SyncBN")), None, ["ConvTail"]),
    "DCN": (dict(dcn=dict(type="DCNv2", deform_groups=1)), None, ["ConvTail"]),
    "plugin": (
        dict(plugins=[dict(cfg=dict(type="ContextBlock", ratio=0.25), position="after_conv3")]),
        None,
        ["GateSum"],
    ),
    "plugin before": (
        dict(plugins=[dict(cfg=dict(type="ContextBlock", ratio=0.25), position="after_conv2")]),
        None,
        ["ConvTail"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_fast_path_leaves_to_the_modules(case: str, taken) -> None:
    options, change, expected = CASES[case]
    unit = make("bottleneck", **copy.deepcopy(options))
    if change:
        change(unit)
    x = torch.randn(2, 64, 9, 7).double()
    ours = gradients(unit, x)
    assert taken == expected
    theirs = gradients(reference(unit), x)
    for name, value in theirs.items():  # ContextBlock starts as the identity: some are zero
        torch.testing.assert_close(ours[name], value, rtol=1e-9, atol=1e-10, msg=name)


def test_hooks_of_bypassed_modules_run() -> None:
    unit, seen = make("bottleneck"), []
    for name in ("conv3", "bn3", "se", "relu"):
        getattr(unit, name).register_forward_hook(lambda *args, name=name: seen.append(name))
    unit.se.fc1.register_forward_pre_hook(lambda *args: seen.append("fc1"))
    unit(torch.randn(1, 64, 9, 9).double())
    assert set(seen) == {"conv3", "bn3", "se", "relu", "fc1"}


def test_a_wrapped_excitation_sees_the_gates() -> None:
    unit, gates = make("bottleneck"), []
    excite = unit.se.excite

    def record(z: Tensor) -> Tensor:
        gates.append(excite(z))
        return gates[-1]

    unit.se.excite = record
    unit(torch.randn(2, 64, 9, 9).double())
    assert gates[0].shape == (2, 64, 1, 1)


def test_fused_must_be_a_bool() -> None:
    with pytest.raises(ValueError, match="fused='no': expected True or False"):
        make("basic", se_cfg=dict(fused="no"))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("family", UNITS)
def test_checkpointing_and_channels_last(family: str, training: bool, taken) -> None:
    unit = make(family, training=training)
    x = torch.randn(2, WIDTH[family], 9, 7).double()
    theirs = gradients(reference(unit), x)
    again = copy.deepcopy(unit)
    again.with_cp = True
    assert_equal(gradients(again, x), theirs, 1e-10)
    assert len(taken) == 2  # once more in backward
    last = x.to(memory_format=torch.channels_last)
    ours = gradients(unit.to(memory_format=torch.channels_last), last)
    assert_equal(ours, theirs, 1e-10)
    assert ours["out0"].is_contiguous(memory_format=torch.channels_last)


HALVES = [torch.bfloat16]
if digit_version(torch.__version__) >= digit_version("2.4"):
    HALVES.append(torch.float16)


@pytest.mark.slow
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("side", [12, 5])
@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("family", ["basic", "bottleneck"])
def test_autocast_is_no_worse_than_the_reference(family, dtype, side, training, taken) -> None:
    """On the average over random units: single ones depend on which roundings flip a ReLU."""
    errors = []  # per seed and tensor, the output first: ours and the reference's
    for seed in range(40):
        unit = make(family, training=training, seed=seed)
        x = torch.randn(2, WIDTH[family], side, side).double()
        exact = gradients(reference(unit), x)
        halves = []
        for net in (unit.float(), reference(unit)):
            with torch.autocast("cpu", dtype=dtype):
                halves.append(gradients(net, x.float()))
        errors.append([[(half[name] - exact[name]).norm() for half in halves] for name in exact])
        assert all(halves[0][name].dtype == halves[1][name].dtype for name in exact)
    assert len(taken) == 40
    ours, theirs = torch.tensor(errors).unbind(-1)
    ratios = ((ours + 1e-9) / (theirs + 1e-9)).log().mean(0).exp()  # both 0 behind dead ReLUs
    assert ratios[0] < 1
    assert ratios.log().mean().exp() < 1.1, ratios


def test_two_sizes_under_one_autocast_train_the_last_convolution() -> None:
    unit = make("bottleneck").float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with torch.no_grad():
            unit(torch.randn(1, 64, 9, 9))
        loss = sum(unit(torch.randn(1, 64, side, side)).float().sum() for side in (9, 3))
    loss.backward()
    assert unit.conv3.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("place", ["x", "gate", "weight"])
@pytest.mark.parametrize("size", [9, 3])
@pytest.mark.parametrize("family", UNITS)
def test_nan_and_inf_propagate(family: str, size: int, place: str, bad: float) -> None:
    unit = make(family)
    x = torch.randn(2, WIDTH[family], size, size).double()
    with torch.no_grad():
        if place == "x":
            x[0, 3, 1, 2] = bad
        elif place == "gate":
            unit.se.fc2.bias[5] = bad
        else:
            unit.last_norm.bias[5] = bad
        ours, theirs = unit(x), reference(unit)(x)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


def saved_bytes(net: nn.Module, x: Tensor) -> int:
    """Bytes that autograd keeps, parameters and buffers aside."""
    own = {value.untyped_storage().data_ptr() for value in net.state_dict().values()}
    kept = {}

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        outs = net(x)  # held, so that no storage is used twice
    del outs
    return sum(kept.values())


@pytest.mark.parametrize(
    ("plain", "ours", "norm_eval", "at_most"),
    [
        (ResNet, SEResNet, True, 0.85),
        (ResNet, SEResNet, False, 1.01),
        (ResNeXt, SEResNeXt, True, 0.9),
    ],
)
def test_bytes_saved_for_backward(plain, ours, norm_eval: bool, at_most: float) -> None:
    x = torch.randn(1, 3, 256, 256)
    sizes = []
    for kind in (plain, ours):
        net = kind(depth=50, norm_eval=norm_eval)
        net.train()
        sizes.append(saved_bytes(net, x))
    assert sizes[1] <= at_most * sizes[0]


@pytest.mark.parametrize("training", [False, True])
def test_a_second_derivative_is_refused(training: bool) -> None:
    for size, kind in itertools.product((9, 3), UNITS):
        x = torch.randn(2, WIDTH[kind], size, size).double().requires_grad_()
        out = make(kind, training=training)(x).square().sum()
        (grad,) = torch.autograd.grad(out, x, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            grad.sum().backward()


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["standard", "pre", "post", "identity", "conv2"])
@pytest.mark.parametrize("depth", [18, 50])
def test_mmengines_efficient_conv_bn_eval(depth: int, placement: str, randomize) -> None:
    net = randomize(SEResNet(depth, se_cfg=dict(placement=placement))).double()
    folded = copy.deepcopy(net)
    net.train()
    turn_on_efficient_conv_bn_eval(nn.ModuleDict(dict(backbone=folded)), "backbone")
    folded.train()
    x = torch.randn(2, 3, 65, 97).double()
    ours = gradients(folded, x)
    assert_equal(ours, gradients(reference(net), x), 1e-9)


def test_distributed_training_reaches_every_parameter(tmp_path, randomize) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        net = randomize(SEResNet(18)).double()
        net.train()
        x = torch.randn(2, 3, 65, 65).double()
        twin = reference(net)
        for model in (twin, nn.parallel.DistributedDataParallel(net)):
            model(x)[-1].square().sum().backward()
        for ours, theirs in zip(net.parameters(), twin.parameters(), strict=True):
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-12)
    finally:
        torch.distributed.destroy_process_group()


def test_keys_are_those_of_the_reference() -> None:
    assert list(SEResNet(50).state_dict()) == list(
        SEResNet(50, se_cfg=dict(fused=False)).state_dict()
    )
