"""Whether Triton is used: what the environment asks for, and what is done where it fails."""

import importlib.util

import pytest
import torch

from senet_mm.layers.fast_path import kernels_torch, use_triton
from senet_mm.layers.fast_path.use_triton import VARIABLE, triton_kernels

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _nothing_checked_before() -> None:
    use_triton._checked.cache_clear()
    yield
    use_triton._checked.cache_clear()


def asked(monkeypatch: pytest.MonkeyPatch, value: str | None, found: tuple) -> object:
    if value is None:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, value)
    monkeypatch.setattr(use_triton, "_why_not", lambda *_: found)
    return triton_kernels(torch.ones(1, 2, 3, 4))


@pytest.mark.parametrize("value", [None, "auto", "triton"])
def test_right_kernels_are_used(monkeypatch, value) -> None:
    assert asked(monkeypatch, value, ("", kernels_torch)) is kernels_torch


def test_torch_rules_them_out(monkeypatch) -> None:
    assert asked(monkeypatch, "torch", ("", kernels_torch)) is None


def test_wrong_kernels_are_left_out_with_one_warning(monkeypatch) -> None:
    with pytest.warns(UserWarning, match="without its Triton kernels on cpu: map 0 is off") as told:
        for _ in range(2):
            assert asked(monkeypatch, "auto", ("map 0 is off by 1", kernels_torch)) is None
    assert len(told) == 1


def test_or_are_an_error_where_triton_is_asked_for(monkeypatch) -> None:
    with pytest.raises(RuntimeError, match="map 0 is off by 1 .SENET_MM_KERNELS=triton allows"):
        asked(monkeypatch, "triton", ("map 0 is off by 1", kernels_torch))


def test_another_value_is_refused(monkeypatch) -> None:
    with pytest.raises(ValueError, match="SENET_MM_KERNELS='cuda': expected one of auto, triton"):
        asked(monkeypatch, "cuda", ("", kernels_torch))


def test_types_and_sizes_that_the_kernels_do_not_take(monkeypatch) -> None:
    monkeypatch.setattr(use_triton, "_why_not", lambda *_: ("", kernels_torch))
    assert triton_kernels(torch.ones(1, 2, 3, 4).double()) is None
    assert triton_kernels(torch.ones(0, 2, 3, 4)) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_reason_without_triton_or_without_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    reason, kernels = use_triton._why_not(CPU, torch.float32, torch.contiguous_format)
    assert (reason, kernels) == ("Triton is not installed", None)
