"""Exported nets compute in onnxruntime what torch computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from senet_mm.profiling.exported import onnx_pass
from senet_mm.profiling.variants import FOLDED, build_variant, finish, forward_of, settle

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.mark.slow
@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("name", ["plain", "SE fused", "SE fused" + FOLDED, "timm SE"])
def test_maps_are_the_same(name: str, images: int) -> None:
    net = build_variant(name, "backbone", depth=18)
    x = torch.randn(images, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    settle(net, forward_of(name, net), x)
    net.eval()
    finish(name, net, "backbone")
    with torch.no_grad():
        expected = forward_of(name, net)(x)
    expected = [expected] if isinstance(expected, torch.Tensor) else expected
    for ours, theirs in zip(onnx_pass(forward_of(name, net), x)(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))
