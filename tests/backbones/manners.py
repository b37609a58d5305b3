"""What mmdet's users expect of any backbone: freezing, fixed statistics, checkpointing, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import nn


def check_freezing(make: Callable[..., nn.Module], stages: Sequence[Sequence[str]]) -> None:
    """Frozen is what ``frozen_stages`` says and no more; its statistics stand, and so do others'.

    Args:
        make: The backbone, from its options.
        stages: Names of the modules with parameters, of the stem and each stage.
    """
    for frozen in range(-1, len(stages)):
        net = make(frozen_stages=frozen, norm_eval=False).train()
        still = tuple(f"{name}." for stage in stages[: frozen + 1] for name in stage)
        for key, parameter in net.named_parameters():
            assert parameter.requires_grad != key.startswith(still), (frozen, key)
        for name, module in net.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.training != name.startswith(still), (frozen, name)
        assert not any(module.training for module in net.eval().modules())
    net = make(frozen_stages=-1, norm_eval=True).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms and not any(norm.training for norm in norms)
    assert net.training and all(parameter.requires_grad for parameter in net.parameters())
    # a step moves what is not frozen, and no statistics of what is
    net = make(frozen_stages=1, norm_eval=False).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    sum(x.sum() for x in net(torch.randn(2, 3, 64, 64))).backward()
    still = tuple(f"{name}." for stage in stages[:2] for name in stage)
    for key, value in net.state_dict().items():
        if key.endswith("running_mean"):
            assert torch.equal(value, before[key]) == key.startswith(still), key
    for key, parameter in net.named_parameters():
        assert (parameter.grad is None) == key.startswith(still), key


def check_checkpointing(make: Callable[..., nn.Module]) -> None:
    """``with_cp`` changes neither outputs nor gradients."""
    nets = [make(with_cp=with_cp, norm_eval=True).train() for with_cp in (False, True)]
    x = torch.randn(1, 3, 64, 64)
    for net in nets:
        sum(out.square().mean() for out in net(x)).backward()
    plain, saving = (dict(net.named_parameters()) for net in nets)
    for key, parameter in plain.items():
        assert torch.equal(parameter.grad, saving[key].grad), key


def check_errors(make: Callable[..., nn.Module], *, stages: int) -> None:
    """Arguments that are not accepted are named in one line."""
    for value in (stages + 1, -2):
        message = rf"frozen_stages={value} of \w+: expected -1 .* 0 .* to {stages}"
        with pytest.raises(ValueError, match=message):
            make(frozen_stages=value)
    for value in ((4,), [-1, 2], (), 2):
        with pytest.raises(ValueError, match=r"out_indices=.* of \w+: expected some of 0 to 3"):
            make(out_indices=value)
