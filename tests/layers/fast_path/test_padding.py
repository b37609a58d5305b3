"""Every path with a squeeze of the valid part, against the reference."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch

from senet_mm.layers.fast_path import Path, choose
from senet_mm.layers.padding import ValidPart, within, zero_outside

from .units import UNITS, WIDTH, assert_equal, gradients, make, reference

PART = ValidPart.given([(150, 160), (80, 176), (33, 1)], (160, 176))
PATHS = {"basic": Path.NORM, "bottleneck": Path.CONV, "resnext": Path.CONV}


@pytest.mark.parametrize(
    ("family", "training", "squeeze"), itertools.product(UNITS, (False, True), ("avg", "max"))
)
def test_values_and_gradients(family: str, training: bool, squeeze: str) -> None:
    se_cfg = dict(padding="mask", squeeze=squeeze)
    unit = make(family, training=training, project=True, se_cfg=se_cfg)
    unit.conv2.register_forward_pre_hook(zero_outside)  # as padding='exact' has it
    twin = reference(unit)
    x = torch.randn(3, WIDTH[family], 20, 22, dtype=torch.float64)
    with within(PART):
        path, _ = choose(copy.deepcopy(unit).tail(), unit.first(x), unit.downsample(x))
        fast = PATHS[family] if not training else Path.BATCH_NORM
        assert path is (fast if squeeze == "avg" else Path.GATE)
        twin.load_state_dict(unit.state_dict())  # statistics of the pass before
        assert_equal(gradients(unit, x), gradients(twin, x), 1e-12)


def test_padding_gives_the_squeeze_nothing() -> None:
    unit = make("bottleneck", se_cfg=dict(padding="mask"))
    x = torch.randn(3, 64, 20, 22, dtype=torch.float64)
    other = x.clone().masked_fill_(PART.outside(x), 7.0)
    with within(PART):
        # the 3x3 convolution carries the padding one cell into the picture
        unit.conv2.register_forward_pre_hook(zero_outside)
        ours, theirs = unit(x), unit(other)
    inside = ~PART.outside(ours).expand_as(ours)
    torch.testing.assert_close(ours[inside], theirs[inside], rtol=1e-12, atol=1e-13)


def test_halves() -> None:
    unit = make("bottleneck", se_cfg=dict(padding="mask"))
    x = torch.randn(3, 64, 20, 22)
    with within(PART):
        exact = unit(x.double())
        with torch.autocast("cpu", torch.bfloat16):
            half = unit.float()(x.requires_grad_())
        half.float().sum().backward()
    assert half.isfinite().all() and x.grad.isfinite().all()
    assert (half.double() - exact).norm() <= 0.02 * exact.norm()
