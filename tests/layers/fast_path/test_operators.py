"""The path of compilers and exporters: the same numbers, from plain operators."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from mmengine.utils import digit_version
from torch import Tensor, nn
from torch.fx import symbolic_trace

from .units import UNITS, WIDTH, assert_equal, gradients, make, reference

OLD_TORCH = digit_version(torch.__version__) < digit_version("2.6")


def operators(net: nn.Module, x: Tensor, **options: object) -> Counter[str]:
    program = torch.export.export(net, (x,), **options)
    return Counter(str(node.target) for node in program.graph.nodes if node.op == "call_function")


def channels_squeezed(net: nn.Module, shape: tuple[int, ...]) -> int:
    program = torch.export.export(net, (torch.randn(1, *shape),))
    (mean,) = (node for node in program.graph.nodes if "aten.mean" in str(node.target))
    return mean.meta["val"].shape[1]


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("family", UNITS)
def test_compiled_units(family: str, training: bool, images: int) -> None:
    unit = make(family, training=training).double()
    twin = reference(unit)
    x = torch.randn(images, WIDTH[family], 9, 7).double()
    theirs = gradients(twin, x)
    torch._dynamo.reset()
    ours = gradients(torch.compile(unit, backend="eager", fullgraph=True), x)
    assert_equal({name.removeprefix("_orig_mod."): v for name, v in ours.items()}, theirs, 1e-10)


@pytest.mark.skipif(OLD_TORCH, reason="exports with hooks need torch 2.6")
def test_what_an_exported_unit_holds() -> None:
    """Of one image, sum and ReLU follow the convolution: no product of the map is left."""
    unit = make("bottleneck").float()
    shape = (WIDTH["bottleneck"], 9, 7)
    ours, theirs = (operators(one, torch.randn(1, *shape)) for one in (unit, reference(unit)))
    assert not any("senet" in name or "promote" in name for name in ours)
    assert ours["aten.conv2d.default"] == theirs["aten.conv2d.default"] + 1
    assert channels_squeezed(unit, shape) == unit.conv3.in_channels
    batch = torch.export.Dim("batch")
    dynamic = operators(unit, torch.randn(2, *shape), dynamic_shapes=({0: batch},))
    assert dynamic["aten.mul.Tensor"] == theirs["aten.mul.Tensor"] == 1


@pytest.mark.skipif(OLD_TORCH, reason="exports with hooks need torch 2.6")
@pytest.mark.parametrize("family", UNITS)
def test_exported_with_dynamic_batch_height_and_width(family: str) -> None:
    unit = make(family)
    dynamic = {place: torch.export.Dim(f"d{place}") for place in (0, 2, 3)}
    x = torch.randn(2, WIDTH[family], 9, 7).double()
    program = torch.export.export(unit, (x,), dynamic_shapes=(dynamic,)).module()
    for shape in ((3, 8, 8), (2, 15, 4)):
        x = torch.randn(shape[0], WIDTH[family], *shape[1:]).double()
        expected = reference(unit)(x)
        torch.testing.assert_close(program(x), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("family", UNITS)
def test_fx_sees_the_modules(family: str) -> None:
    """What quantizes or folds a graph of torch.fx finds convolutions and norms in it."""
    unit = make(family).double()
    traced = symbolic_trace(unit)
    called = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    last = "2" if family == "basic" else "3"
    assert {f"conv{last}", f"bn{last}", "se.fc1", "se.fc2"} <= set(called)
    assert len(called) == len({*called} - {"relu"}) + called.count("relu")  # each once
    x = torch.randn(2, WIDTH[family], 9, 7).double()
    assert_equal(gradients(traced, x), gradients(reference(unit), x), 1e-10)
