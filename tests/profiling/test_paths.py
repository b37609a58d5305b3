"""The paths of whole backbones, in inference and in training."""

import torch
from mmengine.config import Config

from senet_mm.backbones import SEResNet
from senet_mm.compat.packaged_configs import config_path
from senet_mm.layers.fast_path import Path
from senet_mm.profiling.paths import paths_table, unit_paths


def test_units_without_se_are_left_out_and_nothing_stays_hooked() -> None:
    net = SEResNet(18, se_cfg=[{}, dict(blocks=(1,)), None, {}])
    net.eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        before = net(x)
        found = unit_paths(net, x)
        after = net(x)
    names = ["layer1.0", "layer1.1", "layer2.1", "layer4.0", "layer4.1"]
    assert list(found) == names
    assert {choice.path for choice in found.values()} == {Path.NORM}  # 3x3 convolutions
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert not any(module._forward_pre_hooks for module in net.modules())


def test_table_of_a_pair() -> None:
    names = ("faster_rcnn_r50_fpn.py", "faster_rcnn_se_r50_fpn.py")
    configs = {name: Config.fromfile(config_path(name)) for name in names}
    configs[names[1]].model.backbone.norm_eval = False
    lines = paths_table(configs, (64, 64)).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:2] == [names[0], "no residual unit with SE"]
    assert cells[1][:3] == [names[1], "layer1.0", "CONV"] and cells[1][3] == ""
    assert cells[-1][1:3] == ["layer4.2", "NORM"]
    assert cells[-1][3] == "the map is no larger than twice its channels"
    # stem and first stage are frozen, statistics too
    assert [row[4] for row in cells[1:]] == ["CONV"] * 3 + ["BATCH_NORM"] * 13
