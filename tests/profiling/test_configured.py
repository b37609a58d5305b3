"""Nets of configs that are compared have the same weights."""

import torch

from senet_mm.compat.packaged_configs import config_path
from senet_mm.layers import SEBlock
from senet_mm.profiling.configured import build_configured

PLAIN, SE = (str(config_path(f"demo/faster_rcnn_{net}_fpn_shapes.py")) for net in ("r18", "se_r18"))


@torch.no_grad()
def test_se_computes_what_the_baseline_does() -> None:
    plain, se = (
        build_configured(path, "backbone", baseline=PLAIN, frozen=True) for path in (PLAIN, SE)
    )
    assert any(isinstance(module, SEBlock) for module in se.modules())
    x = torch.randn(1, 3, 64, 64)
    for found, expected in zip(se(x), plain(x), strict=True):
        torch.testing.assert_close(found, expected)


def test_what_is_frozen() -> None:
    attached = str(config_path("faster_rcnn_se_shufflenet_fpn.py"))
    frozen, moving = (
        build_configured(attached, "backbone", baseline=attached, frozen=frozen).train()
        for frozen in (True, False)
    )
    assert not frozen.conv1.conv.weight.requires_grad and not frozen.conv1.bn.training
    assert not frozen.layers[0][0].depthwise.bn.training
    assert moving.conv1.conv.weight.requires_grad and moving.layers[0][0].depthwise.bn.training
