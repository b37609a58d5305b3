"""A backbone outside the ResNet family loads its ``init_cfg`` with checks."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from senet_mm.weights.checked_init import CheckedInitMixin


class Net(CheckedInitMixin):
    def __init__(self, init_cfg=None) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def test_an_init_cfg_is_loaded_with_a_report(tmp_path: Path) -> None:
    source, path = Net(), tmp_path / "net.pth"
    torch.save({f"backbone.{key}": value for key, value in source.state_dict().items()}, path)
    init_cfg = [
        dict(type="Constant", layer="BatchNorm2d", val=3),
        dict(type="Pretrained", checkpoint=str(path)),
    ]
    net = Net(init_cfg)
    net.init_weights()
    assert net.load_report.is_complete
    assert net.init_cfg == init_cfg
    for key, value in source.state_dict().items():
        assert torch.equal(net.state_dict()[key], value), key


def test_without_weights_mmengine_initializes() -> None:
    net = Net(dict(type="Constant", layer="BatchNorm2d", val=3))
    net.init_weights()
    assert (net.norm.weight == 3).all()
    assert not hasattr(net, "load_report")


def test_weights_of_another_net_stop_it(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save(nn.Conv2d(3, 4, 3).state_dict(), path)
    net = Net(dict(type="Pretrained", checkpoint=str(path)))
    with pytest.raises(ValueError, match="holds no weights of this backbone"):
        net.init_weights()
