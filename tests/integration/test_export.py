"""torch.compile and ONNX: backbone, and backbone with neck, equal eager."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest
import torch
from mmengine.utils import digit_version
from torch import Tensor, nn

from senet_mm.backbones import SEResNet, SEResNeXt
from senet_mm.layers.se_config import PLACEMENTS
from senet_mm.necks import SEFPN

pytestmark = pytest.mark.slow

CHANNELS = [64, 128, 256, 512]
OLD_TORCH = digit_version(torch.__version__) < digit_version("2.6")


class Net(nn.Module):
    """SE-R18, with or without an SE-FPN."""

    def __init__(self, stem_pool: str, neck: bool, placement: str = "standard") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = SEResNet(18, stem_pool=stem_pool, se_cfg=dict(placement=placement))
        positions = ("input", "lateral", "output")
        self.neck = SEFPN(CHANNELS, 32, num_outs=5, positions=positions) if neck else None
        self.train(False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(x)
        return maps if self.neck is None else self.neck(maps)


@pytest.mark.skipif(OLD_TORCH, reason="torch.onnx.export without TorchScript needs torch 2.6")
@pytest.mark.parametrize("stem_pool", ["pad", "ceil"])
@pytest.mark.parametrize("neck", [False, True])
def test_onnx_with_dynamic_height_and_width(stem_pool: str, neck: bool, tmp_path: Path) -> None:
    net, path = Net(stem_pool, neck), tmp_path / "net.onnx"
    sides = {2: torch.export.Dim("height", min=33), 3: torch.export.Dim("width", min=33)}
    torch.onnx.export(
        net, (torch.randn(1, 3, 65, 97),), str(path), dynamo=True, dynamic_shapes=(sides,)
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for size in ((65, 97), (64, 64), (130, 70)):
        x = torch.randn(1, 3, *size)
        with torch.no_grad():
            expected = net(x)
        outs = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        for out, eager in zip(outs, expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(out), eager, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_dynamo_traces_without_a_graph_break(placement: str) -> None:
    # torch 2.1 cannot trace the hooks of SEFPN's laterals, and breaks the graph there
    net = Net("pad", neck=not OLD_TORCH, placement=placement)
    x = torch.randn(1, 3, 64, 64)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    with torch.no_grad():
        for ours, eager in zip(compiled(x), net(x), strict=True):
            torch.testing.assert_close(ours, eager)


@pytest.mark.parametrize(
    "backbone", [SEResNet(50), SEResNeXt(depth=50, groups=32, base_width=4)], ids=["r50", "x50"]
)
def test_dynamo_traces_bottlenecks(backbone: nn.Module) -> None:
    backbone.train(False)
    x = torch.randn(1, 3, 64, 64)
    compiled = torch.compile(backbone, backend="eager", fullgraph=True)
    with torch.no_grad():
        for ours, eager in zip(compiled(x), backbone(x), strict=True):
            torch.testing.assert_close(ours, eager)
