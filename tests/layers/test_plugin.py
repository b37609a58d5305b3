"""SEBlock in the plugins of mmdet's own backbones."""

from collections.abc import Iterator

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from senet_mm.layers import SEBlock

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def default_scope() -> Iterator[None]:
    """mmdet's scope, as under its configs: mmcv looks plugins up in the default scope."""
    with DefaultScope.overwrite_default_scope("mmdet"):
        yield


POSITIONS = ("after_conv1", "after_conv2", "after_conv3")
FAMILIES = {
    "ResNet": dict(type="ResNet", depth=50),
    "ResNeXt": dict(type="ResNeXt", depth=50, groups=32, base_width=4),
    "Res2Net": dict(type="Res2Net", depth=50, scales=4, base_width=26),
    "RegNet": dict(type="RegNet", arch="regnetx_400mf"),
    "ResNeSt": dict(type="ResNeSt", depth=50, stem_channels=64, radix=2, reduction_factor=4),
}
# mmdet builds Res2Net's inner plugins for the width of a plain bottleneck, so they cannot run
REFUSED = {("Res2Net", "after_conv1"), ("Res2Net", "after_conv2")}
WORKING = sorted({(f, p) for f in FAMILIES for p in POSITIONS} - REFUSED)


@pytest.mark.parametrize(("family", "position"), WORKING)
def test_every_family_and_position(family: str, position: str) -> None:
    torch.manual_seed(0)
    plugin = dict(cfg=dict(type="SEBlock", reduction=4), position=position)
    net = MODELS.build(FAMILIES[family] | dict(plugins=[plugin]))
    blocks = [module for module in net.modules() if isinstance(module, SEBlock)]
    assert len(blocks) == sum(net.stage_blocks)
    net.train()
    seen = []
    for block in blocks:
        block.register_forward_hook(lambda *args: seen.append(args[0]))
    sum(out.square().mean() for out in net(torch.randn(2, 3, 64, 64))).backward()
    assert len(set(seen)) == len(blocks), "a block is built but not run"
    for block in blocks:
        assert block.fc2.bias.grad.isfinite().all()


def test_after_conv3_equals_our_backbone(randomize) -> None:
    plugin = dict(cfg=dict(type="SEBlock", reduction=16), position="after_conv3")
    net = MODELS.build(dict(type="ResNet", depth=50, plugins=[plugin]))
    ours = MODELS.build(dict(type="SEResNet", depth=50))
    randomize(ours)
    weights = {key.replace(".se.", ".se_block."): v for key, v in ours.state_dict().items()}
    net.load_state_dict(weights)
    net.eval()
    ours.eval()
    x = torch.randn(1, 3, 64, 64)
    for first, second in zip(net(x), ours(x), strict=True):
        torch.testing.assert_close(first, second)


@pytest.mark.parametrize(("family", "position"), sorted(REFUSED))
def test_mmdet_itself_cannot_run_res2net_with_inner_plugins(family: str, position: str) -> None:
    context = dict(cfg=dict(type="ContextBlock", ratio=0.25), position=position)
    net = MODELS.build(FAMILIES[family] | dict(plugins=[context]))
    with pytest.raises(RuntimeError, match="channels"):
        net(torch.randn(2, 3, 64, 64))


def test_mmdet_itself_refuses_plugins_in_a_basic_block() -> None:
    plugin = dict(cfg=dict(type="SEBlock"), position="after_conv2")
    with pytest.raises(AssertionError, match="Not implemented"):
        MODELS.build(dict(type="ResNet", depth=18, plugins=[plugin]))
