"""Outputs, freezing, fixed statistics and checkpointing, as mmdet's users expect of a backbone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from senet_mm.backbones import BNInception, ShuffleNetV1

# the modules with parameters of the stem and of each stage
PARTS = {
    BNInception: [
        ["conv1"],
        ["conv2_reduce", "conv2"],
        ["inception_3a", "inception_3b"],
        ["inception_3c", *(f"inception_4{letter}" for letter in "abcd")],
        ["inception_4e", "inception_5a", "inception_5b"],
    ],
    ShuffleNetV1: [["conv1"], ["layers.0"], ["layers.1"], ["layers.2"]],
}
both = pytest.mark.parametrize("kind", PARTS)


def below(parts: list[list[str]]) -> tuple[str, ...]:
    return tuple(f"{name}." for part in parts for name in part)


@both
def test_frozen_is_what_frozen_stages_says_and_no_more(kind: type[nn.Module]) -> None:
    for frozen in range(-1, len(PARTS[kind])):
        net = kind(frozen_stages=frozen).train()
        still = below(PARTS[kind][: frozen + 1])
        for key, parameter in net.named_parameters():
            assert parameter.requires_grad != key.startswith(still), (frozen, key)
        for name, module in net.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.training != name.startswith(still), (frozen, name)
        assert not any(module.training for module in net.eval().modules())


@both
def test_a_step_moves_nothing_that_is_frozen(kind: type[nn.Module]) -> None:
    net = kind(frozen_stages=1).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    sum(x.sum() for x in net(torch.randn(2, 3, 64, 64))).backward()
    still = below(PARTS[kind][:2])
    for key, value in net.state_dict().items():
        if key.endswith("running_mean"):
            assert torch.equal(value, before[key]) == key.startswith(still), key
    for key, parameter in net.named_parameters():
        assert (parameter.grad is None) == key.startswith(still), key


@both
def test_norm_eval(kind: type[nn.Module]) -> None:
    net = kind(norm_eval=True).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)
    assert net.training and all(parameter.requires_grad for parameter in net.parameters())


@both
def test_checkpointing_changes_nothing(kind: type[nn.Module], randomize) -> None:
    nets = [randomize(kind(with_cp=with_cp, norm_eval=True)).train() for with_cp in (False, True)]
    x = torch.randn(1, 3, 64, 64)
    for net in nets:
        sum(out.square().mean() for out in net(x)).backward()
    plain, saving = (dict(net.named_parameters()) for net in nets)
    for key, parameter in plain.items():
        assert torch.equal(parameter.grad, saving[key].grad), key


@both
@torch.no_grad()
def test_out_indices(kind: type[nn.Module], randomize) -> None:
    whole = randomize(kind()).eval()
    some = kind(out_indices=[3, 1]).eval()
    some.load_state_dict(whole.state_dict())
    x = torch.randn(1, 3, 64, 64)
    maps = whole(x)
    assert [64 // out.shape[-1] for out in maps] == [4, 8, 16, 32]
    assert [out.shape[1] for out in maps] == whole.out_channels
    assert some.out_channels == whole.out_channels[1::2]
    for found, expected in zip(some(x), maps[1::2], strict=True):
        assert torch.equal(found, expected)


@both
def test_arguments_that_are_not_accepted(kind: type[nn.Module]) -> None:
    last = len(PARTS[kind]) - 1
    for frozen in (last + 1, -2):
        message = rf"frozen_stages={frozen} of {kind.__name__}: expected -1 .* 0 .* to {last}"
        with pytest.raises(ValueError, match=message):
            kind(frozen_stages=frozen)
    for indices in ((4,), [-1, 2], (), 2):
        with pytest.raises(ValueError, match=r"out_indices=.* of \w+: expected some of 0 to 3"):
            kind(out_indices=indices)
