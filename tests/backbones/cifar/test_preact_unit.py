"""The pre-activation unit: its branch, its shortcuts, and what SE is put behind."""

import torch
from torch import nn
from torch.nn import functional as F

from senet_mm.backbones.cifar.preact_unit import PreActUnit, ZeroPad
from senet_mm.layers import attach_se

NORM = dict(type="BN")


def make(before: int, after: int, stride: int = 1, **options: bool) -> PreActUnit:
    options = dict(bottleneck=False, conv_shortcut=True, with_cp=False) | options
    return PreActUnit(before, after, stride, norm_cfg=NORM, **options)


def test_zeros_stand_behind_every_other_position() -> None:
    x = torch.arange(1.0, 31).reshape(1, 2, 3, 5)
    padded = ZeroPad(3, stride=2)(x)
    assert padded.shape == (1, 5, 2, 3)
    assert torch.equal(padded[0, 0], torch.tensor([[1.0, 3, 5], [11, 13, 15]]))
    assert padded[0, 2:].abs().sum() == 0


@torch.no_grad()
def test_an_identity_shortcut_takes_the_bare_input(randomize) -> None:
    unit = randomize(make(8, 8)).eval()
    x = torch.randn(2, 8, 6, 5)
    activated = F.relu(unit.norm1(x))
    kept = x.clone()
    torch.testing.assert_close(unit(x) - x, unit.branch(activated))
    assert torch.equal(x, kept)
    unit.activates_shortcut = True
    torch.testing.assert_close(unit(x) - activated, unit.branch(activated))


def test_the_branch_ends_in_a_convolution_which_se_follows() -> None:
    basic, bottleneck = make(8, 8), make(8, 64, 2, bottleneck=True)
    assert [name for name, _ in basic.branch.named_children()] == [
        "conv1", "norm2", "relu2", "conv2",
    ]  # fmt: skip
    convs = [layer for layer in bottleneck.branch if isinstance(layer, nn.Conv2d)]
    assert [(conv.out_channels, conv.kernel_size[0], conv.stride[0]) for conv in convs] == [
        (16, 1, 2), (16, 3, 1), (64, 1, 1),
    ]  # fmt: skip
    attach_se(basic, ["branch"], dict(reduction=8), input_shape=(1, 8, 4, 4))
    assert [*basic.branch.named_children()][-1][0] == "se"
    assert basic.branch.se.fc1.out_channels == 1
    assert "branch.se.fc1.weight" in basic.state_dict()


def test_only_a_shortcut_that_adds_channels_has_layers() -> None:
    assert isinstance(make(8, 8).shortcut, nn.Identity)
    assert isinstance(make(8, 16, 2, conv_shortcut=False).shortcut, ZeroPad)
    conv = make(8, 16, 2).shortcut
    assert isinstance(conv, nn.Conv2d) and conv.stride == (2, 2) and conv.bias is None
