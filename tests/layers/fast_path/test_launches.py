"""Where launching is what a GPU waits for."""

import sys
from types import SimpleNamespace

import pytest
import torch

from senet_mm.layers.fast_path import Path, choose, launches
from senet_mm.layers.fast_path.use_triton import VARIABLE

from .units import make

H200 = SimpleNamespace(memory_clock_rate=3_201_000, memory_bus_width=6144)
RTX_3090 = SimpleNamespace(memory_clock_rate=9_751_000, memory_bus_width=384)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    launches.bandwidth.cache_clear()
    yield
    launches.bandwidth.cache_clear()


def on_gpu(*size: int, dtype: torch.dtype = torch.float16) -> torch.Tensor:
    """What a map on a GPU says of itself."""
    return SimpleNamespace(
        is_cuda=True, device=torch.device("cuda", 0), dtype=dtype, numel=torch.Size(size).numel
    )


@pytest.mark.parametrize(
    ("gpu", "terabytes"), [(H200, 4.917), (RTX_3090, 0.936), (SimpleNamespace(), 0)]
)
def test_bandwidth_is_what_the_makers_print(monkeypatch, gpu, terabytes) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    assert launches.bandwidth(torch.device("cuda", 0)) == pytest.approx(terabytes * 1e12, rel=1e-3)


@pytest.mark.parametrize(
    ("gpu", "batch", "longer"),
    [(H200, 1, True), (H200, 4, True), (H200, 16, False), (RTX_3090, 1, True), (RTX_3090, 2, False)]
    + [(SimpleNamespace(), 1, False)],
)
def test_second_stage_of_an_image_of_800x1344(monkeypatch, gpu, batch, longer) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    h, shortcut = on_gpu(batch, 128, 100, 168), on_gpu(batch, 512, 100, 168)
    assert launches.launching_takes_longer(h, shortcut) is longer
    monkeypatch.setenv(VARIABLE, "triton")
    assert launches.launching_takes_longer(h, shortcut) is False


def test_a_cpu_launches_nothing() -> None:
    h = torch.rand(1, 8, 4, 4)
    assert launches.launching_takes_longer(h, h) is False


def test_such_units_take_the_reference(monkeypatch) -> None:
    unit = make("bottleneck")
    x = torch.rand(1, 64, 16, 16, dtype=torch.float64)
    assert choose(unit.tail(), unit.first(x), x).path is Path.CONV
    module = sys.modules[choose.__module__]
    monkeypatch.setattr(module, "launching_takes_longer", lambda *_: True)
    path, reason = choose(unit.tail(), unit.first(x), x)
    assert path is Path.REFERENCE and "a GPU waits longer for launches" in reason
