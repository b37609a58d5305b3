"""A wrong kernel is told from a right one, whichever it is."""

import itertools
from types import ModuleType, SimpleNamespace
from typing import cast

import pytest
import torch

from senet_mm.layers.fast_path import kernels_torch, self_check

STEPS = dict(gate_sum=1, gate_sum_backward=4, mask_and_sum=2, gate_gradients=3, norm_gradients=4)
CPU = torch.device("cpu")
LAYOUTS = (torch.contiguous_format, torch.channels_last)
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


@pytest.mark.parametrize(("dtype", "layout"), itertools.product(DTYPES, LAYOUTS))
def test_plain_torch_agrees_with_itself_in_float64(dtype, layout) -> None:
    state = torch.get_rng_state()
    assert self_check.difference(kernels_torch, CPU, dtype, layout) == ""
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("fault", [1.03, torch.nan])
@pytest.mark.parametrize("name", STEPS)
def test_a_wrong_result_of_any_step_is_found(name: str, fault: float) -> None:
    step = getattr(kernels_torch, name)
    results = STEPS[name]  # how many it has
    for wrong in range(results):

        def off(*args: object, wrong: int = wrong, **options: object) -> object:
            out = step(*args, **options)
            if results == 1:
                return out * fault
            return tuple(
                value * fault if index == wrong and value is not None else value
                for index, value in enumerate(out)
            )

        kernels = SimpleNamespace(**{one: getattr(kernels_torch, one) for one in STEPS})
        setattr(kernels, name, off)
        found = self_check.difference(
            cast(ModuleType, kernels), CPU, torch.float32, torch.contiguous_format
        )
        assert "is off by" in found and "torch.float32" in found, (name, wrong)
