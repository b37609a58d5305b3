"""What the fast path must not touch, one case each; test_fuzz.py mixes them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.func import functional_call

from senet_mm.layers.fast_path import Path, choose, kernels

from .test_autograd import HALVES
from .units import UNITS, WIDTH, assert_equal, gradients, make, reference

X = torch.randn(2, 64, 9, 7, generator=torch.Generator().manual_seed(3)).double()


def compare(unit: nn.Module, x: torch.Tensor = X) -> None:
    assert_equal(gradients(unit, x), gradients(reference(unit), x), 1e-10)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "activation", [nn.LeakyReLU(0.1), nn.LeakyReLU(0.2, inplace=True), nn.SiLU(), nn.ReLU6()]
)
def test_another_activation(activation: nn.Module, training: bool) -> None:
    unit = make("bottleneck", training=training)
    unit.relu = activation
    expected = activation(unit.se(unit.last(unit.first(X))) + X)
    torch.testing.assert_close(unit(X), expected, rtol=1e-10, atol=1e-12)
    compare(unit)


@pytest.mark.parametrize("name", ["relu", "se", "conv3", "bn3"])
def test_a_forward_set_on_an_instance(name: str) -> None:
    unit, twin = make("bottleneck"), make("bottleneck")
    plain = getattr(unit, name).forward
    getattr(unit, name).forward = lambda x: 2 * plain(x)
    hook = getattr(twin, name).register_forward_hook(lambda module, inputs, out: 2 * out)
    assert_equal(gradients(unit, X), gradients(twin, X), 1e-10)
    hook.remove()
    assert not torch.allclose(unit(X), twin(X))


@pytest.mark.parametrize("name", ["fc1", "fc2"])
def test_a_forward_set_on_a_layer_of_se(name: str) -> None:
    unit = make("bottleneck")
    layer = getattr(unit.se, name)
    layer.forward = lambda x: 2 * nn.Conv2d.forward(layer, x)
    ours = unit(X)
    del layer.forward
    layer.weight.data *= 2
    layer.bias.data *= 2
    torch.testing.assert_close(ours, unit(X))


@pytest.fixture
def seen() -> Iterator[list[nn.Module]]:
    """The modules that a hook of all modules saw."""
    modules: list[nn.Module] = []
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, *args: modules.append(module)
    )
    yield modules
    handle.remove()


@pytest.mark.parametrize("family", UNITS)
def test_a_hook_of_all_modules_sees_every_module(family: str, seen: list[nn.Module]) -> None:
    unit = make(family)
    unit(torch.randn(1, WIDTH[family], 9, 9).double())
    assert set(unit.modules()) <= set(seen)


@pytest.mark.parametrize("family", UNITS)
@pytest.mark.parametrize("with_cp", [False, True])
def test_branch_relu_without_se_trains(family: str, with_cp: bool) -> None:
    """What dropping gates writes."""
    unit = make(family, se_cfg=dict(branch_relu=True), with_cp=with_cp, training=True)
    unit.remove_se()
    x = torch.randn(2, WIDTH[family], 5, 5).double()
    plain = copy.deepcopy(unit)
    plain.relu = nn.ReLU()  # with nothing in place
    for ours, theirs in zip(gradients(unit, x).values(), gradients(plain, x).values(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.skipif(torch.float16 not in HALVES, reason="torch has no float16 on the CPU here")
@pytest.mark.parametrize("scale", [1 / 64, 1 / 1024])
def test_float16_gradients_overflow_no_earlier_than_the_reference_s(scale: float) -> None:
    unit = make("bottleneck").float()
    nn.init.constant_(unit.bn3.weight, scale)  # the gradient of the weight is scaled by it
    nn.init.zeros_(unit.bn3.bias)
    unit.bn3.running_mean.zero_()
    x = 2 + torch.rand(1, 64, 16, 16)
    results = []
    for net in (unit, reference(unit)):
        with torch.autocast("cpu", torch.float16):
            out = net(x)
        results += torch.autograd.grad(out, net.conv3.weight, torch.full_like(out, 1000.0))
    ours, theirs = results
    # unscaled it is beyond float16
    assert theirs.isfinite().all() and theirs.abs().max() / scale > 2 * 65504
    assert (ours - theirs).norm() <= 0.02 * theirs.norm()


def test_float16_products_are_summed_in_float32() -> None:
    x = torch.full((2, 3, 100), 100.0, dtype=torch.float16)
    products = kernels.sums_of_products(x, x.transpose(1, 2))
    assert products.dtype == torch.float32 and (products == 1e6).all()


@pytest.mark.parametrize("family", UNITS)
def test_one_value_per_channel_is_refused_in_training_as_by_torch(family: str) -> None:
    unit = make(family)
    unit.last_norm.train()
    before = unit.last_norm.running_var.clone()
    with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
        unit(torch.randn(1, WIDTH[family], 1, 1).double())
    assert torch.equal(unit.last_norm.running_var, before)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("family", UNITS)
def test_no_image_at_all(family: str, training: bool) -> None:
    unit = make(family, training=training)
    x = torch.zeros(0, WIDTH[family], 9, 9).double()
    assert unit(x).shape == (0, WIDTH[family], 9, 9)
    compare(unit, x)


@pytest.mark.parametrize(
    "attributes",
    [
        dict(num_batches_tracked=None),
        dict(running_mean=None, running_var=None),
        dict(running_mean=None, running_var=None, track_running_stats=False),
    ],
)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("family", UNITS)
def test_batch_norms_that_keep_less(family: str, training: bool, attributes: dict) -> None:
    unit = make(family, training=training)
    for name, value in attributes.items():
        setattr(unit.last_norm, name, value)
    compare(unit, torch.randn(2, WIDTH[family], 9, 7).double())


@pytest.mark.parametrize("family", UNITS)
def test_transforms_of_torch_func(family: str) -> None:
    unit = make(family)
    twin = reference(unit)
    x = torch.randn(2, WIDTH[family], 9, 7).double()
    torch.testing.assert_close(torch.func.vmap(unit)(x[:, None]), torch.func.vmap(twin)(x[:, None]))
    parameters = {name: value.detach() for name, value in unit.named_parameters()}

    def loss(net: nn.Module, parameters: dict) -> torch.Tensor:
        return functional_call(net, parameters, (x,)).square().sum()

    grads = [torch.func.grad(loss, argnums=1)(net, parameters) for net in (unit, twin)]
    assert_equal(*grads, 1e-10)
    results = [torch.func.jvp(net, (x,), (torch.ones_like(x),)) for net in (unit, twin)]
    torch.testing.assert_close(*results)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        tangents = [forward_ad.unpack_dual(net(dual)).tangent for net in (unit, twin)]
    torch.testing.assert_close(*tangents)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("family", UNITS)
def test_meta_tensors(family: str, training: bool) -> None:
    unit = make(family, training=training).to("meta")
    x = torch.empty(2, WIDTH[family], 9, 7, dtype=torch.float64, device="meta", requires_grad=True)
    out = unit(x)
    assert out.shape == x.shape and out.is_meta
    out.sum().backward()
    assert x.grad.shape == x.shape


class Marked(torch.Tensor):
    """Any subclass of Tensor: it may mean anything."""


def test_reasons() -> None:
    unit = make("bottleneck")
    h = unit.first(X)
    assert choose(unit.tail(), h, X).path is Path.CONV
    chosen = choose(unit.tail(), h.as_subclass(Marked), X)
    assert chosen == (Path.REFERENCE, "a map is a Marked")
    assert choose(unit.tail(), h.to("meta"), X).reason == "a map is a meta tensor"
    assert choose(unit.tail(), h[:0], X[:0]).reason == "a map is empty"
    unit.conv3.stride = (2, 2)
    assert choose(unit.tail(), h, X).reason.startswith("the convolution has stride=(2, 2)")
    unit.relu = nn.SiLU()
    assert choose(unit.tail(), h, X).reason == "the activation is SiLU"


def test_a_shortcut_of_another_shape() -> None:
    for family in UNITS:
        unit = make(family)
        unit.downsample = nn.AdaptiveAvgPool2d(1)
        compare(unit, torch.randn(2, WIDTH[family], 9, 7).double())
        unit.downsample = nn.AvgPool2d(2)
        with pytest.raises(RuntimeError):
            unit(torch.randn(2, WIDTH[family], 9, 7).double())


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("squeeze", ["avg", "max"])
@pytest.mark.parametrize("family", UNITS)
def test_an_excitation_that_gives_the_same_gates_for_all_images(family, squeeze, training) -> None:
    unit = make(family, training=training, se_cfg=dict(squeeze=squeeze))
    gates = nn.Parameter(torch.rand(1, WIDTH[family], 1, 1).double())
    x = torch.randn(2, WIDTH[family], 9, 7).double()
    results = []
    for net in (unit, reference(unit)):
        net.se.excite = lambda z: gates
        out = net(x)
        results.append(torch.autograd.grad(out.square().sum(), [gates, net.last_conv.weight]))
        results[-1] += (out,)
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
