"""The Shake-Shake unit against a plain function, gradients included."""

import pytest
import torch
from torch import Tensor

from senet_mm.backbones.cifar.shake_unit import ShakeUnit, TwoHalves
from senet_mm.layers import attach_se

from .references import shake_unit

NORM = dict(type="BN")
BOTTLENECK = dict(width=12, groups=3)


def make(before: int, after: int, stride: int = 1, **options: object) -> ShakeUnit:
    options = dict(backward="shake", with_cp=False) | options
    return ShakeUnit(before, after, stride, norm_cfg=NORM, **options)


def mixed(first: Tensor, second: Tensor) -> Tensor:
    """Mix with one number, whose gradient has another one, in plain operators."""
    alpha, beta = (torch.rand(len(first), 1, 1, 1, dtype=first.dtype) for _ in range(2))
    out = beta * first + (1 - beta) * second
    return out + (alpha * first + (1 - alpha) * second - out).detach()


@pytest.mark.parametrize(
    ("options", "strides"), [({}, (2, 1)), (BOTTLENECK, (1, 2, 1)), ({}, (1, 1))]
)
def test_values_and_gradients(randomize, options, strides) -> None:
    after = 4 if max(strides) == 1 else 8
    unit = randomize(make(4, after, max(strides), **options)).double().eval()
    unit.shake.train()  # fixed statistics, random numbers
    x = torch.randn(3, 4, 7, 6, dtype=torch.float64, requires_grad=True)
    kept = x.detach().clone()
    weights = dict(unit.named_parameters())
    torch.manual_seed(1)
    out = unit(x)
    assert torch.equal(x, kept)
    torch.manual_seed(1)
    expected = shake_unit(weights | dict(unit.named_buffers()), "", x, strides=strides, mix=mixed)
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(out)
    wanted = [x, *weights.values()]
    found, reference = (torch.autograd.grad(y, wanted, grad) for y in (out, expected))
    for ours, theirs in zip(found, reference, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_halves_see_even_and_odd_positions() -> None:
    shortcut = TwoHalves(1, 2, 2, NORM).eval()
    for conv in (shortcut.conv1, shortcut.conv2):
        torch.nn.init.ones_(conv.weight)
    x = torch.arange(1.0, 17).reshape(1, 1, 4, 4)
    out = shortcut(x)[0] * (1 + shortcut.norm.eps) ** 0.5
    torch.testing.assert_close(out[0], torch.tensor([[1.0, 3], [9, 11]]))
    torch.testing.assert_close(out[1], torch.tensor([[0.0, 0], [0, 6]]))


@pytest.mark.parametrize("options", [{}, BOTTLENECK])
def test_a_branch_ends_in_its_norm_which_se_follows(options) -> None:
    unit = make(4, 8, 2, **options)
    blocks = attach_se(unit, r"branch\d", dict(reduction=4), input_shape=(1, 4, 8, 8))
    assert list(blocks) == ["branch1", "branch2"]
    last = 3 if options else 2
    assert [name for name, _ in unit.branch2.named_children()][-2:] == [f"norm{last}", "se"]
    unit = make(4, 8, 2, **options)
    assert list(attach_se(unit, "shake", dict(reduction=4), input_shape=(1, 4, 8, 8))) == ["shake"]
