"""The networks for CIFAR as functions of a state dict, straight from their papers; and peers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from senet_mm.profiling.complexity import MultiplyAdds, count_parameters

Weights = Mapping[str, Tensor]
BRANCH = r"stage\d\.\d+\.branch\d?"


def _conv(w: Weights, name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = w[f"{name}.weight"]
    groups = x.shape[1] // weight.shape[1]
    return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, groups=groups)


def _norm(w: Weights, name: str, x: Tensor) -> Tensor:
    mean, variance = (w[f"{name}.running_{what}"][:, None, None] for what in ("mean", "var"))
    x = (x - mean) / (variance + 1e-5).sqrt()
    return x * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]


def preact_net(w: Weights, x: Tensor, *, units: int, strides: Sequence[int]) -> list[Tensor]:
    """Maps of the three stages of a pre-activation ResNet.

    Args:
        w: Its weights.
        x: Images.
        units: Units of a stage.
        strides: Of a branch's convolutions, in a unit that halves the map.
    """
    x = _conv(w, "stem", x)
    maps = []
    for stage in (1, 2, 3):
        for unit in range(units):
            name = f"stage{stage}.{unit}"
            halves = stage > 1 and unit == 0
            activated = branch = F.relu(_norm(w, f"{name}.norm1", x))
            for number, stride in enumerate(strides, start=1):
                if number > 1:
                    branch = F.relu(_norm(w, f"{name}.branch.norm{number}", branch))
                branch = _conv(w, f"{name}.branch.conv{number}", branch, stride if halves else 1)
            if f"{name}.shortcut.weight" in w:
                x = _conv(w, f"{name}.shortcut", activated, 2 if halves else 1)
            else:
                x = activated if stage == 1 and unit == 0 else x
                x = x[:, :, ::2, ::2] if halves else x
                new = branch.shape[1] - x.shape[1]
                x = torch.cat([x, torch.zeros_like(branch)[:, :new]], dim=1)
            x = x + branch
        maps.append(x)
    maps[-1] = F.relu(_norm(w, "final.0", x))
    return maps


def _shortcut_of_halves(w: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    x = F.relu(x)
    shifted = torch.zeros_like(x)
    shifted[:, :, 1:, 1:] = x[:, :, :-1, :-1]
    halves = [
        _conv(w, f"{name}.conv1", x[:, :, ::stride, ::stride]),
        _conv(w, f"{name}.conv2", shifted[:, :, ::stride, ::stride]),
    ]
    return _norm(w, f"{name}.norm", torch.cat(halves, dim=1))


def shake_unit(
    w: Weights,
    name: str,
    x: Tensor,
    *,
    strides: Sequence[int],
    mix: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """One unit of a Shake-Shake net.

    Args:
        w: The net's weights.
        name: The unit's name and a dot, or nothing.
        x: Its input.
        strides: Of a branch's convolutions.
        mix: What the branches' outputs become.
    """
    outputs = []
    for branch in ("branch1", "branch2"):
        y = x
        for number, stride in enumerate(strides, start=1):
            y = _conv(w, f"{name}{branch}.conv{number}", F.relu(y), stride)
            y = _norm(w, f"{name}{branch}.norm{number}", y)
        outputs.append(y)
    if f"{name}shortcut.conv1.weight" in w:
        x = _shortcut_of_halves(w, f"{name}shortcut", x, max(strides))
    return x + mix(*outputs)


def shake_net(w: Weights, x: Tensor, *, units: int, strides: Sequence[int]) -> list[Tensor]:
    """Maps of the three stages of a Shake-Shake net at test time."""
    x = _norm(w, "stem.1", _conv(w, "stem.0", x))
    maps = []
    for stage in (1, 2, 3):
        for unit in range(units):
            of_unit = strides if stage > 1 and unit == 0 else [1] * len(strides)
            name = f"stage{stage}.{unit}."
            x = shake_unit(w, name, x, strides=of_unit, mix=lambda a, b: 0.5 * a + 0.5 * b)
        maps.append(x)
    maps[-1] = F.relu(x)
    return maps


def with_se(plain: dict, units: str = BRANCH, **se_cfg: object) -> dict:
    """The SE twin of a config."""
    return dict(
        type="SEBackbone",
        backbone=plain,
        units=units,
        se_cfg=se_cfg,
        input_shape=(1, 3, 32, 32),
    )


def cost(config: dict, *classes: int) -> tuple[list[int], str]:
    """What a net costs with a classifier on it, SE's maps passed over once.

    Args:
        config: The backbone's.
        classes: Of one classifier, or more.

    Returns:
        Parameters by the classifiers, and millions of multiply-adds with the first one.
    """
    net = MODELS.build(config).eval()
    channels = net.out_channels[-1]
    with torch.no_grad(), MultiplyAdds(net) as counter:
        net(torch.zeros(1, 3, 32, 32))
    products = counter.one_pass + channels * classes[0]
    parameters = count_parameters(net)
    return [parameters + (channels + 1) * count for count in classes], f"{products / 1e6:.2f}"


def close(found: Tensor, expected: Tensor) -> bool:
    """Whether two maps differ by rounding alone."""
    return bool((found - expected).abs().max() < 1e-5 * expected.abs().max())


def load(net: nn.Module, peer: nn.Module, name_of: Callable[[str], str]) -> None:
    """Load a peer's weights, all of them but its classifier's."""
    state = peer.state_dict().items()
    net.load_state_dict({name_of(key): value for key, value in state if "output." not in key})
